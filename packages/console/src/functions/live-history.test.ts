import { describe, expect, it } from "vitest";
import { recordOf } from "../testing/views.ts";
import { LiveHistory } from "./live-history.ts";

const at = (seconds: number) => new Date(Date.UTC(2026, 10, 28, 20, 0, seconds)).toISOString();
const ended = (seconds: number, totalMs: number, changes: Parameters<typeof recordOf>[0] = {}) => recordOf({ finishedAt: at(seconds), timings: { totalMs }, ...changes });

describe("live history", () => {
  it("counts outcomes and starts by step, and orders what comes late", () => {
    const history = new LiveHistory(() => 0);
    for (const record of [ended(1, 5), ended(12, 7, { start: "cold" }), ended(2, 9, { result: { outcome: "failed" } }), ended(31, 1)]) history.take(record);
    expect(history.points("hello").map(({ atMs, outcomes, starts }) => [new Date(atMs).getUTCSeconds(), outcomes, starts])).toEqual([
      [0, { succeeded: 1, failed: 1 }, { warm: 2 }], [10, { succeeded: 1 }, { cold: 1 }], [30, { succeeded: 1 }, { warm: 1 }],
    ]);
    expect(history.points("other")).toEqual([]);
  });

  it("gives quantiles of what it has, and no more of a step than a bounded sample", () => {
    const history = new LiveHistory(() => 0.999999);
    for (let ms = 1; ms <= 100; ms += 1) history.take(ended(1, ms));
    expect(history.points("hello")[0]?.durations).toEqual({ count: 100, p50Ms: 51, p90Ms: 91, p99Ms: 100, maxMs: 100 });
    for (let n = 0; n < 5000; n += 1) history.take(ended(1, 1000));
    expect(history.points("hello")[0]?.durations).toMatchObject({ count: 5100, maxMs: 1000 });
  });

  it("keeps an hour", () => {
    const history = new LiveHistory(() => 0);
    for (let step = 0; step < 400; step += 1) history.take(ended(step * 10, 1));
    expect(history.points("hello")).toHaveLength(360);
  });
});
