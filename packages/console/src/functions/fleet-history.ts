import type { HistoryPoint } from "@longshore/protocol";

/** What became of all functions' invocations together, in order of time. Durations are left out: medians of functions make no median. */
export function together(histories: Iterable<readonly HistoryPoint[]>): readonly HistoryPoint[] {
  const sums = new Map<number, { readonly atMs: number; readonly outcomes: Record<string, number>; readonly starts: Record<string, number> }>();
  for (const points of histories) {
    for (const { atMs, outcomes, starts } of points) {
      let sum = sums.get(atMs);
      if (sum === undefined) sums.set(atMs, (sum = { atMs, outcomes: {}, starts: {} }));
      add(sum.outcomes, outcomes);
      add(sum.starts, starts);
    }
  }
  return [...sums.values()].sort((a, b) => a.atMs - b.atMs);
}

/** Adds counts by name to others. */
export function add(sums: Record<string, number>, counts: Readonly<Partial<Record<string, number>>>): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + (count ?? 0);
}
