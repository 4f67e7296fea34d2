import { expect, it } from "vitest";
import { decades, linePath, niceTicks, stack } from "./scale.ts";

it("gives round numbers that reach the largest value", () => {
  expect([niceTicks(9), niceTicks(0.7), niceTicks(4), niceTicks(0), niceTicks(NaN)]).toEqual([[0, 2.5, 5, 7.5, 10], [0, 0.2, 0.4, 0.6, 0.8], [0, 1, 2, 3, 4], [0, 1], [0, 1]]);
  expect(niceTicks(12345).at(-1)).toBeGreaterThanOrEqual(12345);
});

it("stacks in the order of the names", () => {
  expect(stack([{ atMs: 1, values: { b: 4, a: 2, none: undefined } }], ["a", "none", "b"], 0.5)).toEqual([{ atMs: 1, parts: [{ name: "a", from: 0, until: 1 }, { name: "b", from: 1, until: 3 }] }]);
});

it("draws a line that is broken where nothing was", () => {
  const points = [{ atMs: 0, value: 1 }, { atMs: 10, value: 2 }, { atMs: 20, value: undefined }, { atMs: 40, value: 3 }];
  expect(linePath(points, (atMs) => atMs, (value) => 10 - value, 10)).toBe("M0 9L10 8M40 7");
});

it("holds durations between powers of ten", () => {
  expect([decades([64, 4_470]), decades([0.4]), decades([100]), decades([0, 0]), decades([])]).toEqual([[10, 100, 1_000, 10_000], [0.1, 1], [100, 1_000], [1, 10], [1, 10]]);
});
