import { expect, it } from "vitest";
import { SharedSync } from "./shared-sync.ts";

/** A disk whose syncs end when the test says so. */
function disk() {
  const underWay: PromiseWithResolvers<void>[] = [];
  const sync = new SharedSync(() => {
    const each = Promise.withResolvers<void>();
    underWay.push(each);
    return each.promise;
  });
  return { sync, underWay };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it("who asks while a sync is under way waits for the one after it, with all others who do", async () => {
  const { sync, underWay } = disk();
  const done: string[] = [];
  const ask = (name: string) => void sync.request().then(() => done.push(name));
  ask("first");
  await settled();
  ask("second");
  ask("third");
  await settled();
  expect(underWay).toHaveLength(1);
  underWay[0]?.resolve();
  await settled();
  expect(done).toEqual(["first"]);
  expect(underWay).toHaveLength(2);
  underWay[1]?.resolve();
  await settled();
  expect(done).toEqual(["first", "second", "third"]);
});

it("a sync that fails is told to those who waited for it, and to nobody else", async () => {
  const { sync, underWay } = disk();
  const first = sync.request();
  await settled();
  const second = sync.request();
  underWay[0]?.reject(new Error("no space left on device"));
  await expect(first).rejects.toThrow("no space left");
  await settled();
  underWay[1]?.resolve();
  await second;
});
