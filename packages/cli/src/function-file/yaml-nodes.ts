import { LongshoreError } from "@longshore/protocol";
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";

/** A node of a YAML file; null where a key has no value. */
export type YamlNode = Node | null | undefined;

/** One YAML file read as texts, lists and names with values; every fault is `bad_schema` with file, line and field. */
export interface YamlFile {
  readonly root: YamlNode;
  /** `longshore.yaml:7` */
  readonly lineOf: (node: YamlNode) => string;
  readonly fail: (node: YamlNode, what: string, field?: string) => never;
  readonly text: (node: YamlNode, field: string) => string;
  readonly list: <T>(node: YamlNode, field: string, item: (node: YamlNode, field: string) => T) => T[];
  readonly entries: (node: YamlNode, field: string) => readonly YamlEntry[];
  readonly map: <T>(node: YamlNode, field: string, value: (node: YamlNode, field: string) => T) => Record<string, T>;
  /** The node at a path, or the nearest one above it. */
  readonly find: (path: readonly string[]) => YamlNode;
}

export interface YamlEntry {
  readonly key: string;
  readonly keyNode: YamlNode;
  readonly value: YamlNode;
}

/**
 * Parses one document. Every scalar stays the text it is written as (YAML's failsafe schema): what it means is its field's affair, so
 * that `VERSION: 1.10` stays `1.10` and `no` is no boolean.
 */
export function parseYaml(source: string, path: string): YamlFile {
  const lines = new LineCounter();
  const lineAt = (offset: number): string => `${path}:${lines.linePos(offset).line}`;
  const lineOf = (node: YamlNode): string => lineAt(node?.range?.[0] ?? 0);
  const fail = (node: YamlNode, what: string, field = path): never => {
    throw new LongshoreError("bad_schema", `Cannot read ${lineOf(node)}: ${what}`, { field });
  };
  const [document, second] = parseAllDocuments(source, { schema: "failsafe", lineCounter: lines }) as Document[];
  const fault = document?.errors[0];
  if (fault !== undefined) throw new LongshoreError("bad_schema", `Cannot read ${lineAt(fault.pos[0])}: ${firstSentence(fault.message)}`, { field: path, cause: fault });
  if (second !== undefined) fail(second.contents, "a second document begins here, and a file holds one function");

  const text = (node: YamlNode, field: string): string =>
    // The failsafe schema leaves scalars as strings; a key without a value is null.
    isScalar(node) ? ((node.value as string | null) ?? "") : fail(node, `${field} must be one value`, field);
  const entries = (node: YamlNode, field: string): readonly YamlEntry[] => {
    if (!isMap(node)) return fail(node, `${field} must be names with values, as key: value`, field);
    return node.items.map((pair) => ({ key: text(pair.key as Node, `a name in ${field}`), keyNode: pair.key as Node, value: pair.value as Node | null }));
  };
  return {
    root: document?.contents,
    lineOf, fail, text, entries,
    list: (node, field, item) =>
      isSeq(node) ? node.items.map((child, index) => item(child as Node, `${field}[${index}]`)) : fail(node, `${field} must be a list, as [a, b]`, field),
    map: (node, field, value) => Object.fromEntries(entries(node, field).map((entry) => [entry.key, value(entry.value, `${field}.${entry.key}`)])),
    find: (names) =>
      names.map((_, index) => document?.getIn(names.slice(0, names.length - index), true) as YamlNode).find((node) => node !== undefined && node !== null),
  };
}

/** The parser's message without the position and the excerpt that it adds. */
function firstSentence(message: string): string {
  return message.split(/ at line |\n/)[0] ?? message;
}
