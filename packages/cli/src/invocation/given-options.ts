import { formatWhere, parseWhere } from "@longshore/protocol";
import { UsageError } from "../command-line/usage-error.ts";

/** Where it may run, of `--where` and `--site`. Throws `bad_schema`. */
export function readPlace({ where, site }: { readonly where: string | undefined; readonly site: string | undefined }): { readonly where?: string } {
  const text = formatWhere(parseWhere([where ?? "", site === undefined ? "" : `site=${site}`].join(","), "--where"));
  return text === "" ? {} : { where: text };
}

/** A header of `--header`. Throws UsageError. */
export function splitHeader(text: string): readonly [name: string, value: string] {
  const at = text.indexOf(":");
  if (at < 1) throw new UsageError(`Cannot read --header ${JSON.stringify(text.slice(0, 40))}: expected NAME: VALUE`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
