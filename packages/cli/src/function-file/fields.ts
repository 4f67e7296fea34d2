import { type FunctionDocument, LongshoreError, parseDuration, parseSize } from "@longshore/protocol";

/** How a field's text becomes its value. Files and flags give text only, so that both are read the same way. */
export type FieldKind = "text" | "list" | "map" | "secrets" | "integer" | "boolean" | "size" | "duration" | "cpu" | "placement" | "destinations";

export interface Field {
  readonly kind: FieldKind;
  /** The short name that people may write instead, unit-free. */
  readonly alias?: string;
}

/** Every field of a function document. */
export const fields = {
  name: { kind: "text" },
  image: { kind: "text" },
  contract: { kind: "text" },
  command: { kind: "list" },
  args: { kind: "list" },
  workingDirectory: { kind: "text" },
  env: { kind: "map" },
  secrets: { kind: "secrets" },
  port: { kind: "integer" },
  startProbePath: { kind: "text", alias: "startProbe" },
  concurrency: { kind: "integer" },
  memoryBytes: { kind: "size", alias: "memory" },
  cpuMillis: { kind: "cpu", alias: "cpu" },
  timeoutMs: { kind: "duration", alias: "timeout" },
  startTimeoutMs: { kind: "duration", alias: "startTimeout" },
  stopGraceMs: { kind: "duration", alias: "stopGrace" },
  scratchBytes: { kind: "size", alias: "scratch" },
  network: { kind: "text" },
  profile: { kind: "text" },
  runtime: { kind: "text" },
  azureFunction: { kind: "text" },
  azureTrigger: { kind: "text" },
  payloadMaxBytes: { kind: "size", alias: "payloadMax" },
  contentType: { kind: "text" },
  minInstances: { kind: "integer" },
  maxInstancesPerAgent: { kind: "integer" },
  maxQueuedAtOnce: { kind: "integer" },
  idempotent: { kind: "boolean" },
  retry: { kind: "text" },
  placement: { kind: "placement" },
  destinations: { kind: "destinations" },
} as const satisfies Record<keyof FunctionDocument, Field>;
export type FieldName = keyof typeof fields;

/** The field that a written name means: its own name or its alias. */
export function fieldOf(written: string): FieldName | undefined {
  if (Object.hasOwn(fields, written)) return written as FieldName;
  return fieldNames.find((name) => aliasOf(name) === written);
}

/** The short name of a field, where it has one. */
export function aliasOf(name: FieldName): string | undefined {
  return (fields[name] as Field).alias;
}

/** All field names, and with them every name that may be written. */
export const fieldNames = Object.keys(fields) as readonly FieldName[];
export const writtenNames: readonly string[] = fieldNames.flatMap((name) => [name, aliasOf(name) ?? []].flat());

/**
 * Reads one scalar field from text, or throws `bad_schema` naming `label`. A name that carries its unit (`memoryBytes`) also takes a
 * bare number; an alias does not, since nobody could say of what.
 */
export function readScalar(kind: FieldKind, text: string, label: string, hasUnitInName: boolean): unknown {
  if (hasUnitInName && /^\d+$/.test(text)) return Number(text);
  switch (kind) {
    case "integer":
      if (!/^-?\d{1,15}$/.test(text)) throw slip(label, text, "a whole number");
      return Number(text);
    case "boolean":
      if (text !== "true" && text !== "false") throw slip(label, text, "true or false");
      return text === "true";
    case "size":
      return parseSize(text, label);
    case "duration":
      return parseDuration(text, label);
    case "cpu":
      return readCpu(text, label);
    default:
      return text;
  }
}

/** Processors as `0.5` or thousandths as `500m`. */
function readCpu(text: string, label: string): number {
  const thousandths = /^(\d{1,9})m$/.exec(text)?.[1];
  if (thousandths !== undefined) return Number(thousandths);
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text)) throw slip(label, text, "processors, as 2 or 0.5, or thousandths, as 500m");
  return Math.round(Number(text) * 1000);
}

function slip(label: string, text: string, expected: string): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot read ${label} ${JSON.stringify(text.slice(0, 40))}: expected ${expected}`, { field: label });
}
