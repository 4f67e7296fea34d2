import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isMap, isSeq } from "yaml";
import { didYouMean } from "../command-line/suggest.ts";
import type { Draft } from "./draft.ts";
import { destinationOf } from "./destination.ts";
import { type FieldName, fieldOf, fields, readScalar, writtenNames } from "./fields.ts";
import { readSecretFile, splitPair } from "./pair.ts";
import { parseYaml, type YamlFile, type YamlNode } from "./yaml-nodes.ts";

/** Reads a function document as people write it, YAML or JSON, with `256MiB` and `30s`. Throws `bad_schema` naming line and field. */
export function readFunctionFile(path: string, environment: NodeJS.ProcessEnv): Draft {
  return parseFunctionFile(readFileSync(path, "utf8"), path, environment);
}

/** The same for a text that is already here; `path` names it in errors and is what files of secrets stand beside. */
export function parseFunctionFile(source: string, path: string, environment: NodeJS.ProcessEnv): Draft {
  const yaml = parseYaml(source, path);
  const reader: FieldReader = { yaml, folder: dirname(path), environment };
  const values: Partial<Record<FieldName, unknown>> = {};
  const written = new Map<string, string>();
  for (const { key, keyNode, value } of yaml.entries(yaml.root, "the file")) {
    const name = fieldOf(key) ?? yaml.fail(keyNode, `there is no field ${JSON.stringify(key)}${didYouMean(key, writtenNames)}`, key);
    const before = written.get(name);
    if (before !== undefined) yaml.fail(keyNode, `${key} is the same field as ${before}, which is given above`, key);
    written.set(name, key);
    values[name] = readField(reader, name, key, value);
  }
  return {
    values,
    locate: ([first = "", ...rest]) => {
      const names = [written.get(String(first)) ?? String(first), ...rest.map(String)];
      return `${yaml.lineOf(yaml.find(names))}: ${names.join(".")}`;
    },
  };
}

interface FieldReader {
  readonly yaml: YamlFile;
  /** Where files named in the document are looked for. */
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
}

function readField(reader: FieldReader, name: FieldName, key: string, node: YamlNode): unknown {
  const { yaml } = reader;
  const { kind } = fields[name];
  switch (kind) {
    case "list":
      return yaml.list(node, key, yaml.text);
    case "map":
      return yaml.map(node, key, yaml.text);
    case "secrets":
      return yaml.map(node, key, (child, field) => readSecret(reader, child, field));
    case "placement":
      return Object.fromEntries(yaml.entries(node, key).map((entry) => [entry.key, readRule(yaml, entry.key, entry.value, `${key}.${entry.key}`)]));
    case "destinations":
      return yaml.map(node, key, (child, field) => readDestination(yaml, child, field));
    default:
      return readScalar(kind, yaml.text(node, key), `${yaml.lineOf(node)}: ${key}`, key === name);
  }
}

/** A secret as text, or from elsewhere: `{ file: token.txt }` beside the document, `{ env: TOKEN }` of whoever deploys. */
function readSecret({ yaml, folder, environment }: FieldReader, node: YamlNode, field: string): string {
  if (!isMap(node)) return yaml.text(node, field);
  const [entry, second] = yaml.entries(node, field);
  if (entry === undefined || second !== undefined) return yaml.fail(node, `${field} takes one of file and env`, field);
  const value = yaml.text(entry.value, `${field}.${entry.key}`);
  if (entry.key === "file") return readSecretFile(resolve(folder, value), `${yaml.lineOf(node)}: ${field}`);
  if (entry.key === "env") return environment[value] ?? yaml.fail(node, `${field}: the environment variable ${value} is not set`, field);
  return yaml.fail(entry.keyNode, `${field} takes one of file and env, not ${JSON.stringify(entry.key)}`, field);
}

/** One rule of `placement`; an unknown one is left for the schema to refuse. */
function readRule(yaml: YamlFile, rule: string, node: YamlNode, field: string): unknown {
  if (rule === "require") return yaml.map(node, field, yaml.text);
  if (rule === "prefer") return yaml.list(node, field, (item, itemField) => readPreference(yaml, item, itemField));
  return isSeq(node) ? yaml.list(node, field, yaml.text) : [yaml.text(node, field)];
}

/** `{ url: https://… }`, `{ function: NAME }`, or one of them as it stands. */
function readDestination(yaml: YamlFile, node: YamlNode, field: string): unknown {
  return isMap(node) ? yaml.map(node, field, yaml.text) : destinationOf(yaml.text(node, field));
}

/** `{ key: gpu, value: "true" }` or `gpu=true`. */
function readPreference(yaml: YamlFile, node: YamlNode, field: string): unknown {
  return isMap(node) ? yaml.map(node, field, yaml.text) : splitPair(yaml.text(node, field), `${yaml.lineOf(node)}: ${field}`);
}
