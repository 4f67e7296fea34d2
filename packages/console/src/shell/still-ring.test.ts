import { expect, it } from "vitest";
import { StillRing } from "./still-ring.ts";

const filled = () => {
  const ring = new StillRing<number>(3);
  ring.push(1);
  ring.hold();
  for (const item of [2, 3, 4, 5]) ring.push(item);
  return ring;
};

it("stands still while more comes in, says how much, and goes on with the latest", () => {
  const ring = filled();
  expect([ring.items(), ring.latest(), ring.behind, ring.isStill, ring.count]).toEqual([[1], [3, 4, 5], 4, true, 5]);
  ring.release();
  expect([ring.items(), ring.behind, ring.isStill]).toEqual([[3, 4, 5], 0, false]);
});

it("is empty once it was cleared, also while it stands still", () => {
  const ring = filled();
  ring.clear();
  expect([ring.items(), ring.latest(), ring.isStill]).toEqual([[], [], true]);
  ring.push(6);
  expect([ring.items(), ring.latest()]).toEqual([[], [6]]);
});
