import { LongshoreError } from "@longshore/protocol";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";

/** A section of a settings file, and where its keys stand. */
export interface SettingsSection {
  readonly values: unknown;
  /** The same error with the file's line, where its field is a key of this section. */
  locate(error: LongshoreError): LongshoreError;
}

/** Reads one process's section of `longshore.yaml`; throws `bad_schema` naming the line of what is no YAML. */
export function readSection(text: string, file: string, section: string): SettingsSection {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [slip] = document.errors;
  if (slip !== undefined) throw new LongshoreError("bad_schema", `Cannot read ${file}, line ${lines.linePos(slip.pos[0]).line}: ${slip.message.split("\n", 1)[0] ?? "no YAML"}`, { field: file, cause: slip });
  const whole: unknown = document.toJS();
  return {
    values: typeof whole === "object" && whole !== null ? (whole as Record<string, unknown>)[section] : undefined,
    locate(error) {
      const line = lineOf(document, lines, [section, ...(error.field ?? "").replace(`${section}.`, "").split(".")]);
      return line === undefined ? error : LongshoreError.fromShape({ ...error.toShape(), message: `${error.message} (${file}, line ${line})` }, error);
    },
  };
}

/** The line of the deepest part of a path that is there. */
function lineOf(document: Document, lines: LineCounter, path: readonly string[]): number | undefined {
  for (let length = path.length; length > 1; length -= 1) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range !== null && node.range !== undefined) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}
