import { LongshoreError, socketOpens } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { invocationIdOf } from "./error.ts";
import { createFleet } from "./fleet.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { FakeQueue } from "./testing/fake-queue.ts";

function setUp(takes: readonly string[] | undefined = socketOpens) {
  const queue = new FakeQueue();
  queue.run = () => undefined;
  const broker = new FakeBroker();
  broker.greet = (socket) => socket.welcome(takes);
  const fleet = createFleet({ url: "http://broker.test", fetch: queue.fetch, WebSocket: broker.WebSocket, connectTimeoutMs: 5_000 });
  return { queue, broker, fleet, [Symbol.asyncDispose]: () => fleet.close() };
}
const waiting = (invocationId: unknown) => ({ state: "waiting", invocationId, functionName: "f", acceptedAt: "", attempt: 1 });
const refusal = (reason: "function_not_found" | "bus_down") => new LongshoreError(reason, "Cannot accept").toShape();

describe("enqueue() over a WebSocket", () => {
  it("submits with all that the caller said, and gives a handle once one frame says that it is accepted", async () => {
    await using scene = setUp();
    const accepted = scene.fleet.enqueue("f", { order: 7 }, { where: "site=plant", timeoutMs: 5_000, delayMs: 60_000, maxAgeMs: 90_000, headers: [["x-a", "1"]] });
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head).toMatchObject({ what: "submit", functionName: "f", where: "site=plant", timeoutMs: 5_000, delayMs: 60_000, maxAgeMs: 90_000, more: false, request: { method: "POST", target: "/" } });
    expect(exchange.head["request"]).toMatchObject({ headers: expect.arrayContaining([["x-a", "1"]]) as unknown });
    expect(Buffer.from(exchange.body).toString()).toBe('{"order":7}');
    const { invocationId } = exchange.head;
    exchange.push({ kind: "answer", head: { complete: true, view: waiting(invocationId) }, body: new Uint8Array(0) });
    expect((await accepted).invocationId).toBe(invocationId);
    expect(scene.queue.seen).toEqual([]);
  });

  it("submits again under the same id where nobody can tell whether it was accepted, and not what was refused", async () => {
    await using scene = setUp();
    const accepted = scene.fleet.enqueue("f", "x");
    const first = await scene.broker.nextExchange();
    first.fail(refusal("bus_down"));
    const second = await scene.broker.nextExchange();
    second.socket.break();
    const third = await (await scene.broker.nextSocket()).nextExchange();
    expect([second.head["invocationId"], third.head["invocationId"]]).toEqual(Array(2).fill(first.head["invocationId"]));
    third.push({ kind: "answer", head: { complete: true, view: waiting(third.head["invocationId"]), replayed: true }, body: new Uint8Array(0) });
    expect((await accepted).invocationId).toBe(first.head["invocationId"]);
    const refused = scene.fleet.enqueue("g", "x").catch((error: unknown) => error);
    const exchange = await third.socket.nextExchange();
    exchange.fail(refusal("function_not_found"));
    expect(await refused).toMatchObject({ reason: "function_not_found" });
    expect(invocationIdOf(await refused)).toBe(exchange.head["invocationId"]);
  });

  it("sends a key in place of an id, and a long body in parts", async () => {
    await using scene = setUp();
    const accepted = scene.fleet.enqueue("f", new Uint8Array(200 * 1024), { idempotencyKey: "order-7" });
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head).toMatchObject({ idempotencyKey: "order-7", more: true });
    expect(exchange.head).not.toHaveProperty("invocationId");
    expect([await exchange.next(), await exchange.next(), await exchange.next()]).toMatchObject([{ kind: "data", sequence: 1 }, { kind: "data", sequence: 2 }, { kind: "end", head: { sequenceCount: 2 } }]);
    exchange.push({ kind: "answer", head: { complete: true, view: waiting("the-keys-own") }, body: new Uint8Array(0) });
    expect((await accepted).invocationId).toBe("the-keys-own");
  });

  it("gives up with its signal, and tells the broker", async () => {
    await using scene = setUp();
    const leaving = new AbortController();
    const accepted = scene.fleet.enqueue("f", "x", { signal: leaving.signal }).catch((error: unknown) => error);
    const exchange = await scene.broker.nextExchange();
    leaving.abort();
    expect(await accepted).toMatchObject({ reason: "caller_gone" });
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
  });

  it("goes over HTTP where its broker is older, or no socket opens", async () => {
    await using older = setUp([]);
    older.broker.greet = (socket) => socket.welcome();
    await older.fleet.enqueue("f", "x");
    expect(older.queue.seen).toMatchObject([{ method: "POST", target: "/v1/functions/f/invocations?mode=async" }]);
    await using closed = setUp();
    closed.broker.isReachable = false;
    await closed.fleet.enqueue("f", "x");
    await closed.fleet.enqueue("f", "y");
    expect(closed.queue.seen).toHaveLength(2);
  }, 20_000);
});
