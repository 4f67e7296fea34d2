import { readFileSync } from "node:fs";
import { LongshoreError } from "@longshore/protocol";

/** `key=value` taken apart at the first `=`; throws `bad_schema` naming the option or field. */
export function splitPair(text: string, label: string): { readonly key: string; readonly value: string } {
  const at = text.indexOf("=");
  if (at < 1) throw new LongshoreError("bad_schema", `Cannot read ${label} ${JSON.stringify(text.slice(0, 40))}: expected key=value`, { field: label });
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

/** Several `key=value` as one object; throws `bad_schema` when a key comes twice. */
export function readPairs(texts: readonly string[], label: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const { key, value } of texts.map((text) => splitPair(text, label))) {
    if (Object.hasOwn(pairs, key)) throw new LongshoreError("bad_schema", `Cannot read ${label}: ${JSON.stringify(key)} was given twice`, { field: label });
    pairs[key] = value;
  }
  return pairs;
}

/** A secret's file as it stands, every byte: a line end in it is part of the secret. Throws `bad_schema` naming `label`. */
export function readSecretFile(path: string, label: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (cause) {
    const why = cause instanceof TypeError ? "it is not UTF-8 text" : (cause as Error).message;
    throw new LongshoreError("bad_schema", `Cannot read ${label} from ${path}: ${why}`, { field: label, cause });
  }
}
