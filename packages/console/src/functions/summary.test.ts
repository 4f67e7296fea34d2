import { expect, it } from "vitest";
import { summarize } from "./summary.ts";

const point = (atMs: number, outcomes: Record<string, number>, p50Ms: number, count: number) => ({ atMs, outcomes, starts: { warm: count }, durations: { count, p50Ms, p90Ms: p50Ms, p99Ms: p50Ms * 2, maxMs: 9 } });

it("adds up what is recent enough: rate, share of failures without cancellations, durations by weight", () => {
  const points = [point(0, { failed: 100 }, 99, 100), point(60_000, { succeeded: 6, failed: 2, cancelled: 2 }, 10, 3), point(70_000, { succeeded: 10 }, 20, 1)];
  expect(summarize(points, 60_000, 80_000)).toEqual({ count: 20, perSecond: 1, failedShare: 0.1, outcomes: { succeeded: 16, failed: 2, cancelled: 2 }, starts: { warm: 4 }, p50Ms: 12.5, p99Ms: 40 });
});

it("says nothing of durations where there are none", () => {
  expect(summarize([], 0, 10_000)).toMatchObject({ count: 0, perSecond: 0, failedShare: 0, p50Ms: undefined, p99Ms: undefined });
});
