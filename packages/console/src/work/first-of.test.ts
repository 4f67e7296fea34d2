import { expect, it } from "vitest";
import { firstOf } from "./first-of.ts";

it("takes no more of a listing than it shows, and knows whether there is more", async () => {
  let taken = 0;
  async function* endless() {
    for (;;) yield (taken += 1);
  }
  expect([await firstOf(endless(), 3), taken]).toEqual([{ items: [1, 2, 3], hasMore: true }, 4]);
  expect(await firstOf((async function* () { yield 1; })(), 1)).toEqual({ items: [1], hasMore: false });
});
