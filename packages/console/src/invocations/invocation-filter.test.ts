import { expect, it } from "vitest";
import { recordOf } from "../testing/views.ts";
import { durationOf, matches, readFilter } from "./invocation-filter.ts";

const failed = recordOf({ functionName: "resize", result: { outcome: "failed", status: 502 }, siteId: "cloud", timings: { totalMs: 900 } });

it("wants what all of its parts want", () => {
  expect(matches({}, failed)).toBe(true);
  expect(matches({ functionName: "resize", outcome: "failed", site: "cloud", agentId: "plant-1", slowerMs: 900, id: "7b12" }, failed)).toBe(true);
  for (const filter of [{ functionName: "hello" }, { outcome: "lost" }, { site: "plant" }, { agentId: "x" }, { slowerMs: 901 }, { id: "nope" }] as const) expect(matches(filter, failed), JSON.stringify(filter)).toBe(false);
});

it("finds trouble: outcomes that are none of success, and answers that say so themselves", () => {
  const of = (result: typeof failed.result) => matches({ outcome: "troubled" }, recordOf({ result }));
  expect([of({ outcome: "failed" }), of({ outcome: "lost" }), of({ outcome: "succeeded", status: 500 }), of({ outcome: "succeeded", status: 404 }), of({ outcome: "cancelled" })]).toEqual([true, true, true, false, false]);
});

it("is read from an address", () => {
  expect(readFilter({ function: "a", outcome: "troubled", site: "s", id: " ABC ", slower: "x" })).toEqual({ functionName: "a", outcome: "troubled", site: "s", id: "abc" });
  expect(readFilter({ slower: "250" })).toEqual({ slowerMs: 250 });
});

it("knows how long an invocation took where nobody measured", () => {
  expect(durationOf(recordOf({ timings: {} }))).toBe(20);
});
