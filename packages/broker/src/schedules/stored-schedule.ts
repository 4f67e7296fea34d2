import { errorShape, LongshoreError, missedPolicies, type ScheduleDefinition, type ScheduleView, whereSchema } from "@longshore/protocol";
import { z } from "zod";
import { nextDue, type Timing } from "./due-times.ts";

const definitionSchema = z.object({
  name: z.string(),
  function: z.string(),
  cron: z.string().optional(),
  timeZone: z.string().optional(),
  everyMs: z.number().optional(),
  body: z.string().optional(),
  bodyBase64: z.string().optional(),
  contentType: z.string().optional(),
  where: z.object(whereSchema.shape).optional(),
  missed: z.enum(missedPolicies),
  maxAgeMs: z.number().optional(),
});

/** A schedule as the bucket has it. Times in epoch milliseconds. */
export const storedScheduleSchema = z.object({
  tenantId: z.string(),
  definition: definitionSchema,
  paused: z.boolean(),
  /** Made with the schedule; part of its runs' ids. */
  creationId: z.string(),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
  /** What an interval counts from. */
  anchorMs: z.number(),
  /** Every due time up to this one has been dealt with. */
  doneMs: z.number(),
  /** Runs that were decided on and are not all accepted: these due times, after which everything up to `untilMs` is dealt with. Absent: none. */
  planned: z.object({ runs: z.array(z.number()).min(1), untilMs: z.number(), plannedAtMs: z.number() }).optional(),
  /** Its last run; absent: there was none. */
  last: z.object({ dueMs: z.number(), invocationId: z.string().optional(), error: errorShape.optional() }).optional(),
});
export type StoredSchedule = z.output<typeof storedScheduleSchema>;

/** What a definition makes of what stands (undefined: nothing). Other times than before are due from now on only; so are those after a pause. */
export function defined(stored: StoredSchedule | undefined, tenantId: string, { paused, ...definition }: ScheduleDefinition, made: { readonly creationId: string; readonly nowMs: number }): StoredSchedule {
  const { creationId, nowMs } = made;
  if (stored === undefined) return { tenantId, definition, paused: paused ?? false, creationId, createdAtMs: nowMs, updatedAtMs: nowMs, anchorMs: nowMs, doneMs: nowMs };
  const next = { ...stored, definition, updatedAtMs: nowMs };
  const isRetimed = (["cron", "timeZone", "everyMs"] as const).some((key) => stored.definition[key] !== definition[key]);
  return withPause(isRetimed ? { ...startingAt(next, nowMs), anchorMs: nowMs } : next, paused ?? stored.paused, nowMs);
}

/** Paused or not. A pause forgets what was planned; what came due during it is nobody's. */
export function withPause(stored: StoredSchedule, paused: boolean, nowMs: number): StoredSchedule {
  return paused === stored.paused ? stored : { ...startingAt(stored, nowMs), paused, updatedAtMs: nowMs };
}

function startingAt({ planned: _, ...stored }: StoredSchedule, nowMs: number): StoredSchedule {
  return { ...stored, doneMs: nowMs };
}

/** When it comes due. */
export function timingOf({ definition: { cron, timeZone, everyMs }, anchorMs }: Pick<StoredSchedule, "definition" | "anchorMs">): Timing {
  if (cron !== undefined) return { cron, timeZone: timeZone ?? "UTC" };
  if (everyMs !== undefined) return { everyMs, anchorMs };
  throw new LongshoreError("unexpected", "Cannot tell when a schedule comes due: it was written by another version");
}

/** What is sent at each run. */
export function bodyOf({ definition: { body, bodyBase64 } }: Pick<StoredSchedule, "definition">): Uint8Array {
  return bodyBase64 === undefined ? new TextEncoder().encode(body ?? "") : Buffer.from(bodyBase64, "base64");
}

/** As the API shows it, its body with it or not. */
export function viewOf(stored: StoredSchedule, { withBody }: { readonly withBody: boolean }): ScheduleView {
  const { body: _, bodyBase64: __, ...rest } = stored.definition;
  return {
    ...((withBody ? stored.definition : rest) as ScheduleView),
    paused: stored.paused,
    bodyBytes: bodyOf(stored).length,
    createdAt: timeOf(stored.createdAtMs),
    updatedAt: timeOf(stored.updatedAtMs),
    ...(!stored.paused && { nextAt: timeOf(nextDue(timingOf(stored), stored.planned?.untilMs ?? stored.doneMs)) }),
    ...(stored.last !== undefined && { lastAt: timeOf(stored.last.dueMs) }),
    ...(stored.last?.invocationId !== undefined && { lastInvocationId: stored.last.invocationId }),
    ...(stored.last?.error !== undefined && { lastError: stored.last.error }),
  };
}

function timeOf(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
