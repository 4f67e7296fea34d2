import { expect, it } from "vitest";
import { together } from "./fleet-history.ts";

it("adds what functions did at the same time, in order of time", () => {
  const hello = [{ atMs: 10_000, outcomes: { succeeded: 2 }, starts: { warm: 2 } }, { atMs: 20_000, outcomes: { succeeded: 1, failed: 1 }, starts: { cold: 2 } }];
  const other = [{ atMs: 0, outcomes: { lost: 1 }, starts: {} }, { atMs: 20_000, outcomes: { failed: 3 }, starts: { cold: 1, held: 2 } }];
  expect(together([hello, other, []])).toEqual([
    { atMs: 0, outcomes: { lost: 1 }, starts: {} },
    { atMs: 10_000, outcomes: { succeeded: 2 }, starts: { warm: 2 } },
    { atMs: 20_000, outcomes: { succeeded: 1, failed: 4 }, starts: { cold: 3, held: 2 } },
  ]);
});
