import { LongshoreError, parseDuration, parseInput, parseSize } from "@longshore/protocol";
import { totalmem } from "node:os";
import { z } from "zod";

const mebibyte = 2 ** 20;

/** Every setting of an agent; one idea of what each is for stands in docs/operations.md. */
export const agentConfigSchema = z.strictObject({
  /** Where credential and journal are; one process per folder. */
  dataFolder: z.string().min(1).default("/var/lib/longshore/agent"),
  /** `unix:///…` or `tcp://…`; default: DOCKER_HOST, else the usual socket. */
  engineHost: z.string().regex(/^(unix|tcp):\/\//, "must begin with unix:// or tcp://").optional(),
  /** Memory that instances may be promised together; default: four fifths of the host's. */
  memoryBytes: z.number().int().min(64 * mebibyte).default(() => Math.floor(totalmem() * 0.8)),
  instancesMax: z.number().int().min(1).max(10_000).default(200),
  /** Held instances of all functions together; 0: never hold. */
  heldMax: z.number().int().min(0).max(10_000).default(32),
  heldMemoryBytes: z.number().int().min(0).default(512 * mebibyte),
  /** How long an instance stays without work. */
  idleMs: z.number().int().min(100).max(86_400_000).default(60_000),
  /** How long a stop waits for what runs. */
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

/** An agent's settings, resolved and frozen. */
export type AgentConfig = Readonly<z.output<typeof agentConfigSchema>>;
export type AgentConfigInput = z.input<typeof agentConfigSchema>;

const environmentPrefix = "LONGSHORE_AGENT_";

/**
 * Resolves settings: flags over environment (`LONGSHORE_AGENT_HELD_MAX`; sizes and times take units) over file over defaults. Throws
 * `bad_schema` naming the setting for a wrong key, unit or value.
 */
export function resolveAgentConfig(sources: { flags?: AgentConfigInput; environment?: NodeJS.ProcessEnv; file?: unknown }): AgentConfig {
  const merged = { ...asRecord(sources.file), ...fromEnvironment(sources.environment ?? {}), ...sources.flags };
  return Object.freeze(parseInput(agentConfigSchema, merged, "agent settings"));
}

function asRecord(file: unknown): Record<string, unknown> {
  if (file === undefined) return {};
  if (typeof file === "object" && file !== null && !Array.isArray(file)) return { ...file };
  throw new LongshoreError("bad_schema", "Cannot read agent settings: expected a mapping", { field: "agent" });
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(environmentPrefix) || text === undefined) continue;
    const key = name.slice(environmentPrefix.length).toLowerCase().replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    if (!Object.hasOwn(agentConfigSchema.shape, key)) throw new LongshoreError("bad_schema", `Cannot use ${name}: no such setting`, { field: name });
    found[key] = valueOf(key, text, name);
  }
  return found;
}

function valueOf(key: string, text: string, name: string): unknown {
  if (/^\d+$/.test(text)) return Number(text);
  if (key.endsWith("Ms")) return parseDuration(text, name);
  if (key.endsWith("Bytes")) return parseSize(text, name);
  return text;
}
