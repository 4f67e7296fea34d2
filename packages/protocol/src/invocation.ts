import { z } from "zod";
import { errorShape } from "./error.ts";

/** What became of an invocation. `failed`: the function answered with an error or exited. `lost`: it may or may not have run. */
export const outcomes = ["succeeded", "failed", "timed_out", "oom_killed", "cancelled", "expired", "rejected", "lost"] as const;
export type Outcome = (typeof outcomes)[number];

/** How the instance that served came to be: already running, begun from a held one, or started from nothing. */
export const startKinds = ["warm", "held", "cold"] as const;
export type StartKind = (typeof startKinds)[number];

/** The result of an invocation: a value, with the evidence for it. */
export const invocationResultSchema = z.object({
  outcome: z.enum(outcomes),
  /** The function's own HTTP status, where it gave one. */
  status: z.number().int().optional(),
  /** The program's exit code, where it exited. */
  exitCode: z.number().int().optional(),
  /** `SIGSEGV`; where a signal ended the program. */
  signal: z.string().optional(),
  /** For people: what happened, in one sentence. */
  message: z.string().optional(),
  /** The last 4 KiB of the program's stderr, when it did not succeed. */
  stderrTail: z.string().optional(),
  /** False when a shared instance could not be stopped, so that the function may still be running. */
  stopProven: z.boolean().optional(),
  /** Of `rejected`, `expired` and `lost`: our own error. */
  error: errorShape.optional(),
});
export type InvocationResult = z.infer<typeof invocationResultSchema>;

/** How long the parts of one invocation took, in milliseconds, as far as each was reached. */
export const timingsSchema = z.object({
  /** From arrival at the broker to the order's sending (waiting for a slot included). */
  placementMs: z.number().optional(),
  /** At the agent: waiting for an instance, its start included. */
  startMs: z.number().optional(),
  /** At the agent: from delivery to the instance to the end of the answer. */
  runMs: z.number().optional(),
  totalMs: z.number().optional(),
});

/** The one terminal record of an invocation. */
export const invocationRecordSchema = z.object({
  invocationId: z.string(),
  functionName: z.string(),
  revisionId: z.string().optional(),
  siteId: z.string().optional(),
  agentId: z.string().optional(),
  instanceId: z.string().optional(),
  attempt: z.number().int(),
  start: z.enum(startKinds).optional(),
  result: invocationResultSchema,
  /** RFC 3339. */
  acceptedAt: z.string(),
  finishedAt: z.string(),
  timings: timingsSchema,
  payloadBytes: z.number(),
  resultBytes: z.number(),
  /** Content type and whether `GET …/result` has the body (bodies over 256 KiB of sync invocations are not kept). */
  resultKept: z.boolean(),
  resultHeaders: z.array(z.tuple([z.string(), z.string()])).optional(),
});
export type InvocationRecord = z.infer<typeof invocationRecordSchema>;

/** The state of an invocation that has no terminal record yet. */
export const invocationStates = ["waiting", "running"] as const;
/** What `GET /v1/invocations/{id}` answers. */
export const invocationViewSchema = z.union([
  z.object({ state: z.literal("finished"), record: invocationRecordSchema }),
  z.object({ state: z.enum(invocationStates), invocationId: z.string(), functionName: z.string(), acceptedAt: z.string() }),
]);
export type InvocationView = z.infer<typeof invocationViewSchema>;
