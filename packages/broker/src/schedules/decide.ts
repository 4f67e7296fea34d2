import type { MissedPolicy } from "@longshore/protocol";
import { lastDues, nextDue, type Timing } from "./due-times.ts";
import { type StoredSchedule, timingOf } from "./stored-schedule.ts";

/** Which due times are to run, and up to which all are dealt with then. */
export interface DueRuns {
  /** Epoch milliseconds, the earliest first. */
  readonly runs: readonly number[];
  readonly untilMs: number;
}

/** What is next for a schedule: wait, write that down (on the condition that it stands as it was), or accept the run of a due time. */
export type Step = { readonly kind: "wait" } | { readonly kind: "write"; readonly next: StoredSchedule } | { readonly kind: "run"; readonly dueMs: number };

/** A run that is later than that was missed; longer than it takes to notice that a broker is gone. */
export const missedAfterMs = 30_000;
/** Of due times that were all missed and are all made up, no more than the last so many. */
export const maxMadeUp = 1_000;
/** No plan has more runs than that. */
const maxPlanned = 100;

/**
 * The due times after `doneMs` that have come, as the policy has it; undefined: none has. Of several only the last is not missed, and only while
 * it is fresh. `skip` runs the last if it was not missed, `once` runs the last, `all` runs each (of the last thousand).
 */
export function dueRuns(timing: Timing, missed: MissedPolicy, doneMs: number, nowMs: number): DueRuns | undefined {
  const due = lastDues(timing, doneMs, nowMs, missed === "all" ? maxMadeUp : 1);
  const last = due.at(-1);
  if (last === undefined) return undefined;
  if (missed === "skip" && nowMs - last > missedAfterMs) return { runs: [], untilMs: last };
  const runs = due.slice(0, maxPlanned);
  return { runs, untilMs: runs.at(-1) ?? last };
}

/** The next step, a pure function of what is stored and the time. */
export function decide(stored: StoredSchedule, nowMs: number): Step {
  if (stored.paused) return { kind: "wait" };
  const { planned, doneMs, definition } = stored;
  const fresh = dueRuns(timingOf(stored), definition.missed, doneMs, nowMs);
  if (planned !== undefined && !(fresh !== undefined && isOutdated(planned, fresh, definition.missed))) return { kind: "run", dueMs: planned.runs[0] ?? planned.untilMs };
  if (fresh === undefined) return { kind: "wait" };
  return { kind: "write", next: withPlan(stored, fresh, nowMs) };
}

/** A plan that could not be carried out gives way to a later one that stands for it; where each run counts it does not. */
function isOutdated(planned: DueRuns, fresh: DueRuns, missed: MissedPolicy): boolean {
  if (missed === "all") return false;
  return fresh.untilMs > planned.untilMs || (fresh.untilMs === planned.untilMs && fresh.runs.length < planned.runs.length);
}

function withPlan({ planned: _, ...stored }: StoredSchedule, { runs, untilMs }: DueRuns, nowMs: number): StoredSchedule {
  return runs.length === 0 ? { ...stored, doneMs: untilMs } : { ...stored, planned: { runs: [...runs], untilMs, plannedAtMs: nowMs } };
}

/** With a planned run behind it: accepted, or not to be accepted. */
export function settled({ planned, ...stored }: StoredSchedule, last: NonNullable<StoredSchedule["last"]>, nowMs: number): StoredSchedule {
  const runs = planned?.runs.filter((dueMs) => dueMs > last.dueMs) ?? [];
  if (planned === undefined || runs.length === 0) return { ...stored, doneMs: planned?.untilMs ?? last.dueMs, last };
  return { ...stored, planned: { ...planned, runs, plannedAtMs: nowMs }, doneMs: last.dueMs, last };
}

/** When to look at it next, `waitMs` after it is due; undefined: not before it changes. */
export function nextLook(stored: StoredSchedule, waitMs: number): number | undefined {
  if (stored.paused) return undefined;
  return (stored.planned?.plannedAtMs ?? nextDue(timingOf(stored), stored.doneMs)) + waitMs;
}
