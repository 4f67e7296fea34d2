import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { idOfInput } from "./derived-id.ts";
import { createFleet } from "./fleet.ts";
import { lookLengthMs } from "./many-endings.ts";
import type { MapProgress } from "./map.ts";
import { FakeQueue, refused } from "./testing/fake-queue.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] }));
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

const setUp = () => {
  const queue = new FakeQueue();
  return { queue, fleet: createFleet({ url: "http://broker.test", fetch: queue.fetch, transport: "http" }) };
};
const numbers = (count: number) => Array.from({ length: count }, (_, index) => `n${index}`);

/** Everything that a map gives, as it comes. */
function follow<T>(results: AsyncIterable<T>) {
  const all: T[] = [];
  const ended = (async () => {
    for await (const result of results) all.push(result);
  })();
  ended.catch(() => undefined);
  return { all, ended, until: (count: number) => vi.waitUntil(() => all.length >= count) };
}

/** Lets time pass until it is settled. */
async function settle<T>(promise: Promise<T>): Promise<T> {
  let isSettled = false;
  promise.then(() => (isSettled = true), () => (isSettled = true));
  while (!isSettled) await vi.advanceTimersByTimeAsync(100);
  return promise;
}

describe("map()", () => {
  it("gives each input's result in the order in which they come", async () => {
    const { queue, fleet } = setUp();
    queue.run = () => undefined;
    const { all, ended, until } = follow(fleet.map("f", ["a", "b", "c"]));
    await vi.waitUntil(() => queue.accepted.size === 3);
    for (const [index, body] of ["c", "a", "b"].entries()) {
      queue.end(body, { answer: body.toUpperCase() });
      await until(index + 1);
    }
    await settle(ended);
    expect(all).toMatchObject([{ index: 2, input: "c", value: "C" }, { index: 0, input: "a", value: "A" }, { index: 1, input: "b", value: "B" }]);
    expect(all.every(({ invocationId, record }) => invocationId === record?.invocationId)).toBe(true);
  });

  it("takes no more inputs than there is room for, and none for results that nobody takes", async () => {
    const { queue, fleet } = setUp();
    let taken = 0;
    const endless = (function* () {
      for (;;) yield `n${(taken += 1)}`;
    })();
    const results = fleet.map("f", endless, { concurrency: 5 });
    await results.next();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([taken, queue.accepted.size]).toEqual([5, 5]);
    for (let count = 0; count < 20; count += 1) await settle(results.next());
    await vi.advanceTimersByTimeAsync(1_000);
    expect([taken, queue.accepted.size]).toEqual([25, 25]);
    await results.return();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(taken).toBe(25);
  });

  it("looks after a thousand over four connections, each in its turn", async () => {
    const { queue, fleet } = setUp();
    queue.run = () => undefined;
    const { all, ended } = follow(fleet.map("f", numbers(1_000), { concurrency: 1_000 }));
    await vi.waitUntil(() => queue.accepted.size === 1_000, { timeout: 20_000 });
    const slow = numbers(8);
    for (const body of numbers(1_000)) if (!slow.includes(body)) queue.end(body);
    await vi.waitUntil(() => all.length === 992, { timeout: 20_000 });
    for (const body of slow) queue.end(body);
    await settle(ended);
    expect([all.length, queue.mostLooks]).toEqual([1_000, 4]);
  });

  it("tells of an input that fails, and goes on", async () => {
    const { queue, fleet } = setUp();
    queue.run = (body) => (body === "n1" ? { result: { outcome: "failed", exitCode: 3 } } : { answer: "ok" });
    const inputs: unknown[] = ["n0", "n1", { circular: 1n }, "n3"];
    const { all, ended } = follow(fleet.map("f", inputs as string[]));
    await settle(ended);
    const byIndex = all.toSorted((one, other) => one.index - other.index);
    expect(byIndex.map(({ error }) => error?.reason)).toEqual([undefined, "failed", "bad_schema", undefined]);
    expect(byIndex[1]).toMatchObject({ record: { result: { exitCode: 3 } }, error: { name: "InvocationError", result: { exitCode: 3 } } });
    expect(byIndex[2]!.invocationId).toBeUndefined();
  });

  it("with stopOnError submits nothing after the first that fails, and tells what was accepted", async () => {
    const { queue, fleet } = setUp();
    queue.run = (body) => (body === "n2" ? { result: { outcome: "failed" } } : {});
    const { all, ended } = follow(fleet.map("f", numbers(1_000), { concurrency: 4, stopOnError: true }));
    await settle(ended);
    expect(all.length).toBe(queue.accepted.size);
    expect(all.length).toBeLessThan(20);
    expect(all.filter(({ error }) => error !== undefined)).toMatchObject([{ index: 2 }]);
  });

  it("run again under its mapId attaches to what was accepted and runs nothing twice", async () => {
    const { queue, fleet } = setUp();
    queue.run = () => undefined;
    const leaving = new AbortController();
    const first = follow(fleet.map("f", numbers(10), { mapId: "night", concurrency: 6, signal: leaving.signal }));
    await vi.waitUntil(() => queue.accepted.size === 6);
    queue.end("n0", { answer: "zero" });
    await first.until(1);
    leaving.abort(new DOMException("killed", "AbortError"));
    await expect(settle(first.ended)).rejects.toMatchObject({ reason: "caller_gone" });
    const before = [...queue.accepted.keys()];

    queue.run = (body) => ({ answer: body });
    const second = follow(fleet.map("f", numbers(10), { mapId: "night" }));
    await vi.waitUntil(() => queue.accepted.size === 10);
    for (const body of numbers(7)) if (body !== "n0") queue.end(body, { answer: "late" });
    await settle(second.ended);
    expect(second.all.length).toBe(10);
    expect(second.all.find(({ index }) => index === 0)).toMatchObject({ value: "zero", invocationId: first.all[0]?.invocationId });
    expect([...queue.accepted.keys()].slice(0, before.length)).toEqual(before);

    // Other inputs under that name are no continuation.
    const third = follow(fleet.map("f", ["other"], { mapId: "night" }));
    await settle(third.ended);
    expect(third.all).toMatchObject([{ index: 0, error: { reason: "invocation_exists" } }]);
  });

  it("ends with what would meet every input", async () => {
    const { queue, fleet } = setUp();
    queue.intercept = () => refused(404, "not_found", "function_not_found");
    await expect(settle(follow(fleet.map("f", numbers(1_000))).ended)).rejects.toMatchObject({ reason: "function_not_found" });
    expect(queue.seen.length).toBeLessThan(100);
    queue.intercept = () => Promise.reject(new TypeError("fetch failed"));
    await expect(settle(follow(fleet.map("f", numbers(3))).ended)).rejects.toMatchObject({ reason: "connection_lost" });
    queue.intercept = () => undefined;
    const broken = (function* () {
      yield "n0";
      throw new Error("the file is gone");
    })();
    await expect(settle(follow(fleet.map("f", broken)).ended)).rejects.toThrow("the file is gone");
    const onProgress = () => {
      throw new Error("not mine");
    };
    await expect(settle(follow(fleet.map("f", numbers(3), { onProgress })).ended)).rejects.toThrow("not mine");
    for (const concurrency of [0, 1.5, Number.NaN]) await expect(follow(fleet.map("f", [], { concurrency })).ended).rejects.toMatchObject({ field: "concurrency" });
    await expect(follow(fleet.map("f", numbers(3), { signal: AbortSignal.abort() })).ended).rejects.toMatchObject({ reason: "caller_gone" });
  });

  it("once begun outlives brokers that cannot be reached for a while", async () => {
    const { queue, fleet } = setUp();
    queue.run = (body) => {
      if (body === "n3") queue.intercept = () => Promise.reject(new TypeError("fetch failed"));
      return { answer: body };
    };
    const { all, ended } = follow(fleet.map("f", numbers(10), { concurrency: 3 }));
    await vi.advanceTimersByTimeAsync(600_000);
    expect(queue.accepted.size).toBeLessThan(10);
    queue.intercept = () => undefined;
    await settle(ended);
    expect(all.map(({ index, error }) => [index, error]).toSorted()).toEqual(numbers(10).map((_, index) => [index, undefined]).toSorted());
  });

  it("tells how far it has come", async () => {
    const { queue, fleet } = setUp();
    queue.run = (body) => (body === "n1" ? { result: { outcome: "failed" } } : {});
    const told: MapProgress[] = [];
    await settle(follow(fleet.map("f", numbers(3), { onProgress: (progress) => told.push(progress) })).ended);
    expect([told[0], told.at(-1)]).toEqual([{ accepted: 0, succeeded: 0, failed: 0, total: 3 }, { accepted: 3, succeeded: 2, failed: 1, total: 3 }]);
    told.length = 0;
    await settle(follow(fleet.map("f", new Set(numbers(3)), { concurrency: 1, onProgress: (progress) => told.push(progress) })).ended);
    expect([told[0]!.total, told.at(-1)!.total]).toEqual([undefined, 3]);
  });

  it("of nothing gives nothing", async () => {
    const { fleet } = setUp();
    const { all, ended } = follow(fleet.map("f", []));
    await ended;
    expect(all).toEqual([]);
  });
});

describe("idOfInput()", () => {
  it("is the same whenever it is asked, and another for another input, map or function", async () => {
    const id = await idOfInput("f", "night", 7);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    // What was accepted under it must be found again by every later version.
    expect(id).toBe("2d1e0c1c-bd82-745b-8919-4f03db7bc6d0");
    const others = await Promise.all([idOfInput("f", "night", 8), idOfInput("f", "day", 7), idOfInput("g", "night", 7)]);
    expect(new Set([id, ...others]).size).toBe(4);
  });
});

describe("lookLengthMs()", () => {
  it("is long for few, and short for many", () => {
    expect([1, 4, 16, 64, 10_000].map(lookLengthMs)).toEqual([1_000, 400, 100, 25, 15]);
  });
});
