const [second, minute, hour] = [1_000, 60_000, 3_600_000];
/** After each delivery that failed; the last one goes on. */
const waitsMs = [5 * second, 30 * second, 2 * minute, 10 * minute, 30 * minute, hour, 2 * hour];
/** Nothing is sent later than that after the first delivery. */
export const deliveryLifeMs = 24 * hour;
/** At most that part of a wait is added to it. */
const jitterShare = 0.2;

/** A delivery that failed and may be repeated. */
export interface FailedDelivery {
  /** From 1. */
  readonly attempt: number;
  readonly firstSentAtMs: number;
  readonly endedAtMs: number;
  /** What the receiver asked for. */
  readonly retryAfterMs?: number | undefined;
}

/** It is given up; or it is sent again, as which attempt and when. */
export type NextDelivery = { readonly next: "end" } | { readonly next: "again"; readonly attempt: number; readonly notBeforeMs: number };

/**
 * What follows a failed delivery: after 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, then every 2 h, for 24 h in all; later where the receiver asks for
 * it. `random`, from 0 to 1, spreads deliveries that failed together.
 */
export function nextDelivery({ attempt, firstSentAtMs, endedAtMs, retryAfterMs = 0 }: FailedDelivery, random: number): NextDelivery {
  const waitMs = waitsMs[Math.min(attempt, waitsMs.length) - 1] ?? 0;
  const notBeforeMs = endedAtMs + Math.round(Math.max(waitMs, retryAfterMs) + waitMs * jitterShare * random);
  return notBeforeMs <= firstSentAtMs + deliveryLifeMs ? { next: "again", attempt: attempt + 1, notBeforeMs } : { next: "end" };
}
