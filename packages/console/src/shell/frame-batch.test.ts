import { expect, it } from "vitest";
import { createFrameBatch } from "./frame-batch.ts";

it("flushes once a frame, however much changed", () => {
  const frames: (() => void)[] = [];
  let flushed = 0;
  const changed = createFrameBatch((run) => frames.push(run), () => (flushed += 1));
  for (let n = 0; n < 2000; n += 1) changed();
  expect([frames.length, flushed]).toEqual([1, 0]);
  frames.shift()?.();
  changed();
  expect([frames.length, flushed]).toEqual([1, 1]);
});
