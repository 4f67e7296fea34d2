import { expect, it } from "vitest";
import { PrepareQueue } from "./prepare-queue.ts";

/** Jobs that end when the test says so, and the order in which they began. */
function scene(limits: { atOnce: number; perOwner: number }) {
  const queue = new PrepareQueue(limits);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (owner: string, name: string, isUrgent = false) =>
    queue.add(owner, isUrgent, () => {
      begun.push(name);
      return new Promise((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue, begun, add, end };
}

it("runs so many jobs at once, and no more of one owner than that", async () => {
  const { begun, add, end } = scene({ atOnce: 3, perOwner: 2 });
  for (const name of ["a1", "a2", "a3", "b1", "b2"]) add(name.slice(0, 1), name);
  expect(begun).toEqual(["a1", "a2", "b1"]);
  await end("b1");
  expect(begun).toEqual(["a1", "a2", "b1", "b2"]);
  await end("a1");
  expect(begun.at(-1)).toBe("a3");
});

it("takes urgent jobs first, each kind in its order", async () => {
  const { begun, add, end } = scene({ atOnce: 1, perOwner: 1 });
  add("a", "first");
  add("b", "later");
  add("c", "urgent", true);
  add("d", "urgent too", true);
  for (const name of ["first", "urgent", "urgent too"]) await end(name);
  expect(begun).toEqual(["first", "urgent", "urgent too", "later"]);
});

it("begins nothing once it is closed", async () => {
  const { queue, begun, add, end } = scene({ atOnce: 1, perOwner: 1 });
  add("a", "first");
  add("a", "second");
  queue.close();
  await end("first");
  expect(begun).toEqual(["first"]);
});
