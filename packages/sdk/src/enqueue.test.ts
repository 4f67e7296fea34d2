import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { invocationIdOf } from "./error.ts";
import { createFleet } from "./fleet.ts";
import type { EnqueueOptions } from "./submission.ts";
import { FakeQueue, refused } from "./testing/fake-queue.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] }));
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

const setUp = () => {
  const queue = new FakeQueue();
  queue.run = () => undefined;
  return { queue, fleet: createFleet({ url: "http://broker.test", fetch: queue.fetch, transport: "http" }) };
};
const down = () => Promise.reject(new TypeError("fetch failed"));
/** Rejects or resolves while time passes. */
const outcomeOf = async (promise: Promise<unknown>) => {
  const outcome = promise.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(60_000);
  return outcome;
};

describe("enqueue()", () => {
  it("submits with all that the caller said, and gives a handle once it is accepted", async () => {
    const { queue, fleet } = setUp();
    const notBefore = new Date("2026-12-24T18:00:00Z");
    const handle = await fleet.enqueue("f", { order: 7 }, { where: "site=plant", timeoutMs: 5_000, notBefore, maxAgeMs: 60_000, headers: [["x-a", "1"]] });
    expect(queue.seen).toMatchObject([{ method: "POST", target: "/v1/functions/f/invocations?mode=async&notBefore=2026-12-24T18%3A00%3A00.000Z&maxAgeMs=60000", body: '{"order":7}' }]);
    expect(Object.fromEntries(queue.seen[0]!.headers)).toMatchObject({ "content-type": "application/json", "longshore-where": "site=plant", "longshore-deadline-ms": "5000", "longshore-invocation-id": handle.invocationId, "x-a": "1" });
    expect(handle.invocationId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(await handle.status()).toMatchObject({ state: "waiting", invocationId: handle.invocationId });
  });

  it("submits again under the same id when nobody can tell whether it was accepted, or the broker cannot take it now", async () => {
    const { queue, fleet } = setUp();
    const failures = [down, () => refused(503, "unavailable", "bus_down"), () => new Response("<h1>No upstream</h1>", { status: 504 }), () => new Response('{"state":', { status: 202 }), () => refused(503, "unavailable", "broker_draining", { retryAfterMs: 5_000 })];
    queue.intercept = () => failures.shift()?.();
    const accepted = fleet.enqueue("f", "x");
    await vi.advanceTimersByTimeAsync(4_900);
    expect(queue.seen).toHaveLength(5); // A broker that names a time is not asked before.
    await vi.advanceTimersByTimeAsync(3_000);
    const { invocationId } = await accepted;
    expect(queue.seen.map(({ headers }) => headers.get("longshore-invocation-id"))).toEqual(Array(6).fill(invocationId));
  });

  it("gives up in the end, with the last failure and the id to ask for", async () => {
    const { queue, fleet } = setUp();
    queue.intercept = down;
    const error = await outcomeOf(fleet.enqueue("f", "x"));
    expect(error).toMatchObject({ reason: "connection_lost" });
    expect(invocationIdOf(error)).toBe(queue.seen[0]!.headers.get("longshore-invocation-id"));
    expect(queue.seen.length).toBeGreaterThan(4);
  });

  it("does not repeat what was refused", async () => {
    const { queue, fleet } = setUp();
    queue.intercept = () => refused(404, "not_found", "function_not_found");
    expect(await outcomeOf(fleet.enqueue("f"))).toMatchObject({ reason: "function_not_found", phase: "admission" });
    expect(queue.seen).toHaveLength(1);
  });

  it("ends with its signal, also while it waits", async () => {
    const { queue, fleet } = setUp();
    const leaving = new AbortController();
    queue.intercept = down;
    const waiting = fleet.enqueue("f", "x", { signal: leaving.signal }).catch((error: unknown) => error);
    await vi.waitUntil(() => queue.seen.length > 1);
    leaving.abort();
    expect(await waiting).toMatchObject({ reason: "caller_gone" });
  });

  it("under a key has the id that the broker tells, and sends none", async () => {
    const { queue, fleet } = setUp();
    expect((await fleet.enqueue("f", "x", { idempotencyKey: "order-7" })).invocationId).toBe("key-order-7");
    expect(queue.seen[0]!.headers.get("longshore-invocation-id")).toBeNull();
  });

  it.each([
    ["a Blob", new Blob(["one ", "two"])],
    ["a stream", new Blob(["one ", "two"]).stream()],
  ])("sends %s whole, as often as it takes", async (_, body) => {
    const { queue, fleet } = setUp();
    const failures = [down, down];
    queue.intercept = () => failures.shift()?.();
    const accepted = fleet.enqueue("f", body);
    await vi.waitUntil(() => queue.seen.length === 3);
    await accepted;
    expect(queue.seen.map((request) => request.body)).toEqual(["one two", "one two", "one two"]);
  });

  it("tells what its stream failed with, and sends nothing", async () => {
    const { queue, fleet } = setUp();
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error("unplugged")) });
    await expect(fleet.enqueue("f", broken)).rejects.toMatchObject({ message: expect.stringContaining("unplugged") as string });
    expect(queue.seen).toEqual([]);
  });

  it.each<[field: string, body: unknown, options: EnqueueOptions]>([
    ["notBefore", "x", { notBefore: new Date("soon") }],
    ["idempotencyKey", "x", { idempotencyKey: "k", invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001" }],
    ["body", { big: 1n }, {}],
    ["headers.idempotency-key", "x", { idempotencyKey: "a\nb" }],
  ])("refuses what cannot be sent, naming %s, before anything is", async (field, body, options) => {
    const { queue, fleet } = setUp();
    await expect(fleet.enqueue("f", body as string, options)).rejects.toMatchObject({ code: "invalid_argument", field });
    expect(queue.seen).toEqual([]);
  });
});

describe("an invocation's handle", () => {
  it("waits for the end, over broken connections and brokers that answer at once", async () => {
    const { queue, fleet } = setUp();
    const handle = await fleet.enqueue("f", "x");
    const answers = [down, down, () => Response.json({ state: "running", invocationId: "i", functionName: "f", acceptedAt: "" }), () => refused(503, "unavailable", "bus_down")];
    queue.intercept = () => answers.shift()?.();
    const ended = handle.ended();
    await vi.advanceTimersByTimeAsync(70_000);
    expect(answers).toEqual([]);
    expect(queue.seen.length).toBeLessThan(10); // Nobody asks in circles.
    queue.end("x", { answer: "three" });
    expect(await ended).toMatchObject({ invocationId: handle.invocationId, result: { outcome: "succeeded" } });
    expect([await handle.text(), new TextDecoder().decode(await handle.bytes())]).toEqual(["three", "three"]);
    await expect(handle.json()).rejects.toMatchObject({ reason: "bad_answer" });
  });

  it("of an id that nobody knew yet rejects at once when no broker is reached, or none knows it", async () => {
    const { queue, fleet } = setUp();
    expect(await outcomeOf(fleet.invocation("i").ended())).toMatchObject({ reason: "invocation_not_found" });
    queue.intercept = down;
    expect(await outcomeOf(fleet.invocation("i").ended())).toMatchObject({ reason: "connection_lost" });
    expect(queue.seen).toHaveLength(2);
  });

  it("ends its waiting with the signal", async () => {
    const { fleet } = setUp();
    const handle = await fleet.enqueue("f", "x");
    const leaving = new AbortController();
    const waiting = handle.ended({ signal: leaving.signal }).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(5);
    leaving.abort(new DOMException("enough", "AbortError"));
    expect(await waiting).toMatchObject({ reason: "caller_gone" });
  });

  it("iterated gives each view once, and the finished one last", async () => {
    const { queue, fleet } = setUp();
    const handle = await fleet.enqueue("f", "x");
    const states: string[] = [];
    const over = (async () => {
      for await (const view of handle) states.push(view.state === "finished" ? view.record.result.outcome : `${view.state} ${view.attempt}`);
    })();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(states).toEqual(["waiting 1"]);
    queue.intercept = () => Response.json({ state: "running", invocationId: "i", functionName: "f", acceptedAt: "", attempt: 2 });
    await vi.advanceTimersByTimeAsync(5_000);
    queue.intercept = () => undefined;
    queue.end("x", { result: { outcome: "failed" } });
    await vi.advanceTimersByTimeAsync(5_000);
    await over;
    expect(states).toEqual(["waiting 1", "running 2", "failed"]);
  });
});

describe("a call with an idempotency key", () => {
  it("goes over HTTP with the key and without an id, though there is a socket", async () => {
    const { queue, fleet } = setUp();
    queue.intercept = () => new Response("4", { headers: { "longshore-invocation-id": "of-the-key", "longshore-result": "succeeded", "longshore-agent": "a1", "content-length": "1", "content-type": "application/json" } });
    expect(await fleet.invoke("f", "x", { idempotencyKey: "order-7" })).toBe(4);
    expect((await fleet.call("f", "x", { idempotencyKey: "order-7" })).invocationId).toBe("of-the-key");
    expect(queue.seen[0]).toMatchObject({ method: "POST", target: "/v1/functions/f/invocations", body: "x" });
    expect([queue.seen[0]!.headers.get("idempotency-key"), queue.seen[0]!.headers.get("longshore-invocation-id")]).toEqual(["order-7", null]);
  });

  it("fails with the id of the key, or none where nobody told one", async () => {
    const { queue, fleet } = setUp();
    const mismatch = refused(422, "invalid_argument", "idempotency_mismatch");
    mismatch.headers.set("longshore-invocation-id", "of-the-key");
    queue.intercept = () => mismatch;
    const error = await outcomeOf(fleet.call("f", "x", { idempotencyKey: "k" }));
    expect([(error as { reason: string }).reason, invocationIdOf(error)]).toEqual(["idempotency_mismatch", "of-the-key"]);
    queue.intercept = down;
    expect(invocationIdOf(await outcomeOf(fleet.call("f", "x", { idempotencyKey: "k" })))).toBeUndefined();
    await expect(fleet.call("f", "x", { idempotencyKey: "k", invocationId: "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001" })).rejects.toMatchObject({ field: "idempotencyKey" });
  });
});
