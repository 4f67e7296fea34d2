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

/** An attempt at an accepted invocation that ended and was followed by another. */
export const pastAttemptSchema = z.object({
  /** Attempts are numbered from 1 as they are sent; one that was refused before it began leaves a gap. */
  attempt: z.number().int().positive(),
  siteId: z.string(),
  agentId: z.string(),
  /** When its order was sent, RFC 3339; absent: an older broker wrote it. */
  sentAt: z.string().optional(),
  /** RFC 3339. */
  endedAt: z.string(),
  result: invocationResultSchema,
});
export type PastAttempt = z.infer<typeof pastAttemptSchema>;

/** Where an invocation stands in a trace (W3C): what its spans, and the headers that its function gets, are made of. */
export const invocationTraceSchema = z.object({
  /** 32 hexadecimal digits. */
  traceId: z.string(),
  /** Its own span, 16 hexadecimal digits. */
  spanId: z.string(),
  /** The caller's span; absent: the trace begins here. */
  parentId: z.string().optional(),
  /** Its spans are exported. */
  isSampled: z.boolean(),
});
export type InvocationTrace = z.infer<typeof invocationTraceSchema>;

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
  /** Of an accepted one: the attempts before the one that ended it, oldest first; absent: none. */
  past: z.array(pastAttemptSchema).optional(),
  /** Of an accepted one: when the attempt that ended it was sent, RFC 3339; absent: none was, or an older broker wrote it. */
  sentAt: z.string().optional(),
  /** The dead letter that it was submitted again from. */
  redriveOf: z.string().optional(),
  /** Absent: the broker that took it has traces off. */
  trace: invocationTraceSchema.optional(),
});
export type InvocationRecord = z.infer<typeof invocationRecordSchema>;

/** The state of an invocation that has no terminal record yet. `running`: it is with an agent. */
export const invocationStates = ["waiting", "running"] as const;
/** An invocation that has no terminal record yet. */
export const pendingInvocationSchema = z.object({
  state: z.enum(invocationStates),
  invocationId: z.string(),
  functionName: z.string(),
  /** RFC 3339, like every time here. */
  acceptedAt: z.string(),
  /** What follows is told of accepted invocations alone. The number of the attempt under way, or to come. */
  attempt: z.number().int().positive().optional(),
  /** It is not begun before that … */
  notBefore: z.string().optional(),
  /** … nor after that. */
  expiresAt: z.string().optional(),
  siteId: z.string().optional(),
  agentId: z.string().optional(),
  /** Somebody asked for its end. */
  cancelRequested: z.boolean().optional(),
  past: z.array(pastAttemptSchema).optional(),
});
export type PendingInvocation = z.infer<typeof pendingInvocationSchema>;
/** What `GET /v1/invocations/{id}` answers. */
export const invocationViewSchema = z.union([
  z.object({ state: z.literal("finished"), record: invocationRecordSchema }),
  pendingInvocationSchema,
]);
export type InvocationView = z.infer<typeof invocationViewSchema>;
