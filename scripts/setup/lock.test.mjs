import { expect, test } from "vitest";
import { lockSetup } from "./lock.mjs";

test.runIf(process.platform === "linux")("lockSetup() lets set-ups in one after the other", async () => {
  process.env.LONGSHORE_CACHE = `/nowhere/${crypto.randomUUID()}`;
  let waiting = 0;
  /** @type {string[]} */
  const order = [];
  const releaseFirst = await lockSetup(() => waiting++);
  const later = [1, 2].map(async () => {
    const release = await lockSetup(() => waiting++);
    order.push("in");
    order.push("out");
    release();
  });
  await expect.poll(() => waiting).toBe(2);
  expect(order).toEqual([]);
  releaseFirst();
  await Promise.all(later);
  expect(order).toEqual(["in", "out", "in", "out"]);
});
