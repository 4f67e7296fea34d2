import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { GhostRemoval } from "./ghost-removal.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Each takes 10 ms; those of `failing` fail. */
function scene(failing: ReadonlySet<number> = new Set()) {
  const removed: number[] = [];
  const removal = new GhostRemoval(async (sequence) => {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (failing.has(sequence)) throw new Error("the bus is away");
    removed.push(sequence);
  }, pino({ level: "silent" }));
  return { removal, removed };
}

it("takes one away at a time, and rests 19 times as long as that took", async () => {
  const { removal, removed } = scene();
  for (const sequence of [1, 2, 3]) removal.add(sequence);
  await vi.advanceTimersByTimeAsync(10);
  expect(removed).toEqual([1]);
  await vi.advanceTimersByTimeAsync(199);
  expect(removed).toEqual([1]);
  await vi.advanceTimersByTimeAsync(1);
  expect(removed).toEqual([1, 2]);
  removal.add(4);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(removed).toEqual([1, 2, 3, 4]);
});

it("goes on after one that cannot be taken away, and again once it had come to its end", async () => {
  const { removal, removed } = scene(new Set([1]));
  removal.add(1);
  removal.add(2);
  await vi.advanceTimersByTimeAsync(1_000);
  removal.add(3);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(removed).toEqual([2, 3]);
});

it("forgets what is told anew on the next connection", async () => {
  const { removal, removed } = scene();
  removal.add(1);
  removal.add(2);
  removal.clear();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(removed).toEqual([1]); // It was under way.
});
