import { describe, expect, it } from "vitest";
import { settled } from "../instances/testing/pool-scene.ts";
import { seededRandom } from "../testing/random.ts";
import { ImagePins } from "./image-pins.ts";

describe("image pins", () => {
  it("refuse a removal while any of its names is pinned, however often, and by one who only waits", async () => {
    const pins = new ImagePins();
    const [first, second] = [await pins.pin(["a", "b"]), await pins.pin(["b"])];
    first();
    first(); // Twice is once.
    expect(await pins.remove(["b", "c"], async () => "removed")).toBeUndefined();
    second();
    const running = Promise.withResolvers<string>();
    const removal = pins.remove(["b"], () => running.promise);
    const waiting = pins.pin(["b"]);
    expect(await pins.remove(["b", "d"], async () => "removed")).toBeUndefined();
    running.resolve("removed");
    expect(await removal).toBe("removed");
    (await waiting)();
    expect(await pins.remove(["b"], async () => "again")).toBe("again");
  });

  it("are granted after a removal that failed, which its caller is told", async () => {
    const pins = new ImagePins();
    const running = Promise.withResolvers<never>();
    const removal = pins.remove(["a"], () => running.promise);
    const waiting = pins.pin(["a"]);
    running.reject(new Error("device busy"));
    await expect(removal).rejects.toThrow("device busy");
    (await waiting)();
  });

  it("tell a removal under way that somebody came", async () => {
    const pins = new ImagePins();
    const seen: boolean[] = [];
    const step = Promise.withResolvers<void>();
    const removal = pins.remove(["a"], async (isWanted) => {
      seen.push(isWanted());
      await step.promise;
      seen.push(isWanted());
    });
    const waiting = pins.pin(["a"]);
    step.resolve();
    await Promise.all([removal, waiting]);
    expect(seen).toEqual([false, true]);
  });

  it("are never granted beside a removal of the same image (seeded walks)", async () => {
    for (let seed = 1; seed <= 100; seed += 1) await walk(seed);
  });
});

async function walk(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const pins = new ImagePins();
  const names = ["a", "b", "c", "d"];
  const some = () => names.filter(() => random() < 0.4);
  const granted = new Set<{ names: string[]; release: () => void }>();
  const removing = new Set<{ names: string[]; end: () => void }>();
  const waiting: Promise<unknown>[] = [];
  const check = () => {
    for (const pin of granted) for (const removal of removing) expect(pin.names.filter((name) => removal.names.includes(name)), `seed ${seed}`).toEqual([]);
  };
  for (let step = 0; step < 60; step += 1) {
    const wanted = some();
    const action = random();
    if (action < 0.35) waiting.push(pins.pin(wanted).then((release) => void granted.add({ names: wanted, release })));
    else if (action < 0.6) waiting.push(pins.remove(wanted, () => new Promise<void>((resolve) => removing.add({ names: wanted, end: resolve }))));
    else if (action < 0.8) takeFirst(granted)?.release();
    else takeFirst(removing)?.end();
    await settled();
    check();
  }
  for (const { end } of removing) end();
  removing.clear();
  await Promise.all(waiting); // Nobody waits for ever.
  for (const { release } of granted) release();
  expect(await pins.remove(names, async () => "all"), `seed ${seed}`).toBe("all");
}

function takeFirst<T>(items: Set<T>): T | undefined {
  const [first] = items;
  if (first !== undefined) items.delete(first);
  return first;
}
