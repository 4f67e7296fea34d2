import type { HistoryPoint } from "@longshore/protocol";
import { add } from "./fleet-history.ts";

/** What a function did over some time. */
export interface Summary {
  readonly count: number;
  readonly perSecond: number;
  /** Of all that ended, 0 to 1. */
  readonly failedShare: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly starts: Readonly<Record<string, number>>;
  /** Of the steps' own, weighted by how many they are of: near, not exact. Absent where no caller waited. */
  readonly p50Ms: number | undefined;
  /** The worst step's. */
  readonly p99Ms: number | undefined;
}

/** Adds up the points since `fromMs`; the rate is over the time until `nowMs`. */
export function summarize(points: readonly HistoryPoint[], fromMs: number, nowMs: number): Summary {
  const outcomes: Record<string, number> = {};
  const starts: Record<string, number> = {};
  let [weight, weighed, p99Ms] = [0, 0, 0];
  for (const point of points) {
    if (point.atMs < fromMs) continue;
    add(outcomes, point.outcomes);
    add(starts, point.starts);
    if (point.durations === undefined) continue;
    weight += point.durations.count;
    weighed += point.durations.count * point.durations.p50Ms;
    p99Ms = Math.max(p99Ms, point.durations.p99Ms);
  }
  const count = Object.values(outcomes).reduce((sum, each) => sum + each, 0);
  const failed = count - (outcomes["succeeded"] ?? 0) - (outcomes["cancelled"] ?? 0);
  return { count, perSecond: count / Math.max(1, (nowMs - fromMs) / 1000), failedShare: count === 0 ? 0 : failed / count, outcomes, starts, p50Ms: weight === 0 ? undefined : weighed / weight, p99Ms: weight === 0 ? undefined : p99Ms };
}
