import { expect, it } from "vitest";
import { Ring } from "./ring.ts";

it("keeps the latest, and counts what it let go", () => {
  const ring = new Ring<number>(3);
  for (let n = 1; n <= 100; n += 1) ring.push(n);
  expect([ring.items(), ring.length, ring.dropped]).toEqual([[98, 99, 100], 3, 97]);
  expect([ring.find((n) => n > 97), ring.find((n) => n === 5)]).toEqual([100, undefined]);
  ring.clear();
  expect([ring.items(), ring.length, ring.dropped]).toEqual([[], 0, 0]);
});

it("counts right when it cuts", () => {
  const ring = new Ring<number>(2);
  const seen = [];
  for (let n = 1; n <= 7; n += 1) {
    ring.push(n);
    seen.push(ring.dropped);
  }
  expect(seen).toEqual([0, 0, 1, 2, 3, 4, 5]);
});
