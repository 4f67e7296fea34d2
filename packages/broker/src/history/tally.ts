import { type HistoryPoint, type Outcome, outcomes, type StartKind, startKinds } from "@longshore/protocol";
import { z } from "zod";
import { bucketCount, countOf, mergeBuckets, percentile } from "./duration-histogram.ts";

const count = z.number().int().positive();
const bucketCountsSchema = z.array(z.number().int().nonnegative()).max(2 * bucketCount).refine((buckets) => buckets.length % 2 === 0 && buckets.every((each, at) => at % 2 === 1 || each < bucketCount));

/** The invocations of one function that ended within one step. */
export const tallySchema = z.object({
  outcomes: z.partialRecord(z.enum(outcomes), count),
  starts: z.partialRecord(z.enum(startKinds), count),
  /** Of those whose caller waited; absent: there are none. */
  durations: z.object({ buckets: bucketCountsSchema, maxMs: z.number().nonnegative() }).optional(),
});
export type Tally = z.infer<typeof tallySchema>;

/** Several as one. */
export function mergeTallies(all: readonly Tally[]): Tally {
  const durations = all.flatMap((tally) => tally.durations ?? []);
  return {
    outcomes: sumOf(outcomes, all.map((tally) => tally.outcomes)),
    starts: sumOf(startKinds, all.map((tally) => tally.starts)),
    ...(durations.length > 0 && { durations: { buckets: mergeBuckets(durations.map(({ buckets }) => buckets)), maxMs: Math.max(...durations.map(({ maxMs }) => maxMs)) } }),
  };
}

function sumOf<Kind extends Outcome | StartKind>(kinds: readonly Kind[], all: readonly Partial<Record<Kind, number>>[]): Partial<Record<Kind, number>> {
  const sums: Partial<Record<Kind, number>> = {};
  for (const kind of kinds) {
    let sum = 0;
    for (const counts of all) sum += counts[kind] ?? 0;
    if (sum > 0) sums[kind] = sum;
  }
  return sums;
}

/** A tally as the API shows it. No percentile exceeds the longest duration. */
export function pointOf(atMs: number, { outcomes: byOutcome, starts, durations }: Tally): HistoryPoint {
  if (durations === undefined) return { atMs, outcomes: byOutcome, starts };
  const { buckets, maxMs } = durations;
  const at = (share: number) => Math.min(maxMs, percentile(buckets, share));
  return { atMs, outcomes: byOutcome, starts, durations: { count: countOf(buckets), p50Ms: at(0.5), p90Ms: at(0.9), p99Ms: at(0.99), maxMs } };
}
