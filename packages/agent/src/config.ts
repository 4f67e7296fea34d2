import { resolveSettings, type SettingSources } from "@longshore/protocol";
import { totalmem } from "node:os";
import { z } from "zod";
import { defaultPullSilenceMs } from "./engine/pull.ts";
import { agentFailpointPattern, agentFailpoints } from "./failpoint.ts";
import { registrySettingsSchema } from "./registries/settings.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;

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
  /** What the images that this agent pulled may take together. */
  imageQuotaBytes: z.number().int().min(0).default(20 * gibibyte),
  /** An image that no current function needs goes when it was not used for that long. */
  imageUnusedMs: z.number().int().min(60_000).default(7 * 86_400_000),
  /** With less than that free where the engine keeps images, none is pulled; 0: always pull. */
  diskMinFreeBytes: z.number().int().min(0).default(gibibyte),
  /** Memory for what instances wrote, of all functions together. */
  logMemoryBytes: z.number().int().min(mebibyte).default(64 * mebibyte),
  /** How long a function's lines stay when it writes nothing more, whatever became of its instances and of itself. */
  logRetentionMs: z.number().int().min(1_000).max(30 * 86_400_000).default(3_600_000),
  /** What results of accepted invocations may take on disk while no broker stores them, together with long payloads under way; beyond that no accepted one is begun. */
  outboxQuotaBytes: z.number().int().min(mebibyte).default(gibibyte),
  /** Registries that the engine does not reach by itself: a CA of their own, plain HTTP, mirrors. */
  registries: registrySettingsSchema,
  /** A pull of which nothing comes for that long fails. */
  pullSilenceMs: z.number().int().min(1_000).max(110_000).default(defaultPullSilenceMs),
  /** How long a stop waits for what runs. */
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
  /** For tests: where the process ends itself, as if killed; `name:N`: the Nth time that it comes there. */
  failpoint: z.string().regex(agentFailpointPattern, `must be one of ${agentFailpoints.join(", ")}, or one of them with :N`).optional(),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

/** An agent's settings, resolved and frozen. */
export type AgentConfig = Readonly<z.output<typeof agentConfigSchema>>;

/** Resolves an agent's settings; see `resolveSettings` for where they come from and what is refused. */
export function resolveAgentConfig(sources: SettingSources): AgentConfig {
  return resolveSettings("agent", agentConfigSchema, sources);
}
