import { z } from "zod";
import { invocationRecordSchema, outcomes, startKinds } from "./invocation.ts";
import { agentIdSchema, functionNameSchema, siteIdSchema } from "./names.ts";

/** How fine a history can be had, and for how long it is kept so: ten seconds for an hour, a minute for a day, a quarter of an hour for a week. */
export const historySteps = [
  { stepMs: 10_000, keptMs: 3_600_000 },
  { stepMs: 60_000, keptMs: 86_400_000 },
  { stepMs: 900_000, keptMs: 604_800_000 },
] as const;

/** `GET /v1/history`: what became of a tenant's invocations over time, of one function or of each. */
export const historyQuerySchema = z.strictObject({
  function: functionNameSchema.optional(),
  /** How long back from now; at most what is kept at the finest step that reaches so far. */
  lastMs: z.number().int().min(10_000).max(604_800_000).default(3_600_000),
});
export type HistoryQuery = z.output<typeof historyQuerySchema>;

const count = z.number().int().nonnegative();

/** The invocations that ended within one step. */
export const historyPointSchema = z.object({
  /** The beginning of the step, epoch milliseconds: a multiple of its length. */
  atMs: z.number(),
  /** By outcome; those with none are absent. */
  outcomes: z.partialRecord(z.enum(outcomes), count),
  /** By how their instance came to be; those with none are absent. */
  starts: z.partialRecord(z.enum(startKinds), count),
  /** From arrival to the end of the answer, of those whose caller waited; absent where there are none. Milliseconds. */
  durations: z.object({ count, p50Ms: z.number(), p90Ms: z.number(), p99Ms: z.number(), maxMs: z.number() }).optional(),
});
export type HistoryPoint = z.infer<typeof historyPointSchema>;

/** Points in order of time; steps in which nothing ended are absent. */
export const historySchema = z.object({
  fromMs: z.number(),
  untilMs: z.number(),
  stepMs: z.number(),
  functions: z.array(z.object({ name: z.string(), points: z.array(historyPointSchema) })),
});
export type History = z.infer<typeof historySchema>;

/** `GET /v1/records`: terminal records, newest first: of sync invocations for a quarter of an hour, of accepted ones for a week. */
export const recordPageQuerySchema = z.strictObject({
  function: functionNameSchema.optional(),
  outcome: z.enum(outcomes).optional(),
  site: siteIdSchema.optional(),
  agent: agentIdSchema.optional(),
  /** What ended before that, RFC 3339; absent: now. */
  before: z.iso.datetime({ offset: true }).optional(),
  limit: z.number().int().min(1).max(200).default(50),
});
export type RecordPageQuery = z.output<typeof recordPageQuerySchema>;

/** A page of records; `next` is the `before` of the following page, absent where none follows. */
export const recordPageSchema = z.object({ records: z.array(invocationRecordSchema), next: z.string().optional() });
export type RecordPage = z.infer<typeof recordPageSchema>;
