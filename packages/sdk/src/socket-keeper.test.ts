import { maxExchanges } from "@longshore/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { invocationIdOf } from "./error.ts";
import { patienceMs } from "./socket-link.ts";
import { settled, startBrokerScene } from "./testing/broker-scene.ts";
import type { FakeSocket } from "./testing/fake-broker.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] }));
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

const problem = (code: "unauthenticated" | "unavailable", reason: string) => ({ code, reason, phase: "admission" as const, message: "no" });

describe("connecting", () => {
  it("rejects with what the broker said to the key, at once", async () => {
    await using scene = startBrokerScene({ key: "lsk_bad" });
    scene.broker.greet = (socket) => socket.refuse(problem("unauthenticated", "token_invalid"));
    const calls = await Promise.allSettled([scene.fleet.call("a"), scene.fleet.call("b")]);
    const errors = calls.map((each) => (each as PromiseRejectedResult).reason as unknown);
    expect(errors).toMatchObject([{ reason: "token_invalid", phase: "admission" }, { reason: "token_invalid" }]);
    expect(invocationIdOf(errors[0])).not.toBe(invocationIdOf(errors[1]));
    expect(scene.broker.sockets).toHaveLength(1);
  });

  it("is tried again until a broker is there, one socket at a time for all who wait", async () => {
    await using scene = startBrokerScene();
    scene.broker.isReachable = false;
    const calls = Array.from({ length: 50 }, () => scene.fleet.call("echo"));
    await vi.advanceTimersByTimeAsync(2_000);
    const attempts = scene.broker.sockets.length;
    expect(attempts).toBeGreaterThan(2);
    expect(attempts).toBeLessThan(10);
    scene.broker.isReachable = true;
    await vi.advanceTimersByTimeAsync(3_000);
    expect(scene.broker.sockets).toHaveLength(attempts + 1);
    const socket = scene.broker.sockets.at(-1)!;
    for (const _ of calls) (await socket.nextExchange()).complete();
    await Promise.all(calls);
  });

  it.each([
    ["connectTimeoutMs", { connectTimeoutMs: 1_000 }, {}],
    ["a shorter timeoutMs", { connectTimeoutMs: 60_000 }, { timeoutMs: 1_000 }],
  ])("is given up after %s", async (_what, options, callOptions) => {
    await using scene = startBrokerScene(options);
    scene.broker.isReachable = false;
    const call = expect(scene.fleet.call("echo", undefined, callOptions)).rejects.toMatchObject({ reason: "connection_lost", phase: "admission" });
    await vi.advanceTimersByTimeAsync(1_000);
    await call;
    const attempts = scene.broker.sockets.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(scene.broker.sockets).toHaveLength(attempts);
  });

  it("is given up on a broker that accepts and says nothing; the next call tries anew", async () => {
    await using scene = startBrokerScene({ connectTimeoutMs: 1_000 });
    scene.broker.greet = () => undefined;
    const call = expect(scene.fleet.call("echo")).rejects.toMatchObject({ reason: "connection_lost" });
    await vi.advanceTimersByTimeAsync(1_000);
    await call;
    expect(scene.broker.sockets[0]!.isClosed).toBe(true);
    scene.broker.greet = (socket) => socket.welcome();
    const again = scene.fleet.call("echo");
    (await scene.broker.sockets.at(-1)!.nextExchange()).complete();
    await again;
  });

  it("takes from the call's own time", async () => {
    await using scene = startBrokerScene();
    scene.broker.greet = () => undefined;
    const call = scene.fleet.call("echo", undefined, { timeoutMs: 5_000 });
    await vi.advanceTimersByTimeAsync(2_000);
    scene.broker.sockets[0]!.welcome();
    const exchange = await scene.broker.sockets[0]!.nextExchange();
    expect(exchange.head["timeoutMs"]).toBe(3_000);
    exchange.complete();
    await call;
  });

  it("is given up when the signal aborts, also between two attempts", async () => {
    await using scene = startBrokerScene();
    scene.broker.isReachable = false;
    const leaving = new AbortController();
    const call = expect(scene.fleet.call("echo", undefined, { signal: leaving.signal })).rejects.toMatchObject({ reason: "caller_gone" });
    await vi.advanceTimersByTimeAsync(0);
    leaving.abort();
    await call;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("reports a WebSocket that cannot even be made", async () => {
    const WebSocketOf = function () {
      throw new SyntaxError("insecure");
    } as never;
    await using scene = startBrokerScene({ WebSocket: WebSocketOf });
    await expect(scene.fleet.call("echo")).rejects.toMatchObject({ name: "LongshoreError", reason: "unexpected" });
  });
});

describe("a client", () => {
  const roundTrip = async (scene: ReturnType<typeof startBrokerScene>, socketOf: () => FakeSocket | undefined = () => scene.broker.sockets.at(-1)) => {
    const call = scene.fleet.call("echo");
    await vi.advanceTimersByTimeAsync(0);
    (await socketOf()!.nextExchange()).complete();
    await call;
  };

  it("opens another socket after one that broke", async () => {
    await using scene = startBrokerScene();
    await roundTrip(scene);
    scene.broker.sockets[0]!.break();
    await roundTrip(scene);
    expect(scene.broker.sockets).toHaveLength(2);
  });

  it("leaves a draining broker: what is under way finishes there, new calls go elsewhere", async () => {
    await using scene = startBrokerScene();
    const old = scene.fleet.call("slow");
    const exchange = await scene.broker.nextExchange();
    exchange.socket.drain();
    await roundTrip(scene);
    expect(scene.broker.sockets).toHaveLength(2);
    expect(exchange.socket.isClosed).toBe(false);
    exchange.complete("finished");
    expect(await (await old).text()).toBe("finished");
    expect(exchange.socket.isClosed).toBe(true);
  });

  it("closes the socket of a draining broker on which nothing is under way", async () => {
    await using scene = startBrokerScene();
    await roundTrip(scene);
    scene.broker.sockets[0]!.drain();
    expect(scene.broker.sockets[0]!.isClosed).toBe(true);
  });

  it("takes a call that crossed the broker's word to another broker, unless its body is gone", async () => {
    await using scene = startBrokerScene();
    const whole = scene.fleet.call("echo", "again");
    const stream = expect(scene.fleet.call("echo", new ReadableStream<Uint8Array>())).rejects.toMatchObject({ reason: "broker_draining" });
    const socket = await scene.broker.nextSocket();
    const exchanges = [await socket.nextExchange(), await socket.nextExchange()];
    socket.drain();
    for (const exchange of exchanges) exchange.fail(problem("unavailable", "broker_draining"));
    await stream;
    await vi.advanceTimersByTimeAsync(0);
    const exchange = await scene.broker.sockets[1]!.nextExchange();
    exchange.complete(exchange.body);
    expect(await (await whole).text()).toBe("again");
  });

  it("opens a further socket when one is full", async () => {
    await using scene = startBrokerScene();
    const calls = Array.from({ length: maxExchanges + 1 }, () => scene.fleet.call("echo"));
    await vi.advanceTimersByTimeAsync(0);
    expect(scene.broker.sockets.map(({ exchanges }) => exchanges.size)).toEqual([maxExchanges, 1]);
    for (const { exchanges } of scene.broker.sockets) for (const exchange of exchanges.values()) exchange.complete();
    await Promise.all(calls);
  });

  it("closes a socket that idles, as long after its last call as it was told", async () => {
    await using scene = startBrokerScene({ idleMs: 1_000 });
    await roundTrip(scene);
    await vi.advanceTimersByTimeAsync(900);
    await roundTrip(scene);
    const socket = scene.broker.sockets[0]!;
    await vi.advanceTimersByTimeAsync(900);
    expect(socket.isClosed).toBe(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(socket.isClosed).toBe(true);
    await roundTrip(scene);
    expect(scene.broker.sockets).toHaveLength(2);
  });

  it("keeps a socket with a call under way, however long it takes", async () => {
    await using scene = startBrokerScene({ idleMs: 1_000 });
    const call = scene.fleet.call("slow");
    const exchange = await scene.broker.nextExchange();
    await vi.advanceTimersByTimeAsync(10_000);
    exchange.complete();
    await call;
    expect(exchange.socket.isClosed).toBe(false);
  });

  it("closes a socket that nobody came to use", async () => {
    await using scene = startBrokerScene({ idleMs: 1_000 });
    const leaving = new AbortController();
    const call = scene.fleet.call("echo", undefined, { signal: leaving.signal });
    leaving.abort();
    await expect(call).rejects.toMatchObject({ reason: "caller_gone" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(scene.broker.sockets[0]!.isClosed).toBe(true);
  });

  it("that is closed ends what is under way on every socket, who waits, and what comes later", async () => {
    await using scene = startBrokerScene();
    const onOld = scene.fleet.call("slow");
    (await scene.broker.nextExchange()).socket.drain();
    const onNew = scene.fleet.call("slow");
    await vi.advanceTimersByTimeAsync(0);
    scene.broker.sockets[1]!.drain();
    scene.broker.greet = () => undefined;
    const waiting = scene.fleet.call("slow");
    await vi.advanceTimersByTimeAsync(0);
    await scene.fleet.close();
    await scene.fleet.close();
    for (const call of [onOld, onNew, waiting, scene.fleet.call("late")]) await expect(call).rejects.toMatchObject({ reason: "connection_lost" });
    expect(scene.broker.sockets.map(({ isClosed }) => isClosed)).toEqual([true, true, true]);
  });
});

describe("a broker that says nothing any more", () => {
  it("is asked, and given up when it does not answer", async () => {
    await using scene = startBrokerScene();
    const call = expect(scene.fleet.call("slow")).rejects.toMatchObject({ reason: "connection_lost", phase: "execution" });
    const { socket } = await scene.broker.nextExchange();
    await vi.advanceTimersByTimeAsync(2 * patienceMs);
    expect(socket.onStreamZero).toEqual([{ kind: "credit", bytes: 0 }]);
    await vi.advanceTimersByTimeAsync(patienceMs);
    await call;
  });

  it("is kept while it answers, or anything comes from it", async () => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("slow");
    const exchange = await scene.broker.nextExchange();
    for (let round = 0; round < 5; round += 1) {
      await vi.advanceTimersByTimeAsync(2 * patienceMs);
      exchange.socket.push(0, { kind: "credit", bytes: 0 });
    }
    exchange.complete("at last");
    expect(await (await call).text()).toBe("at last");
  });

  it("is not asked while nothing is under way", async () => {
    await using scene = startBrokerScene({ idleMs: 10 * patienceMs });
    const call = scene.fleet.call("echo");
    const exchange = await scene.broker.nextExchange();
    exchange.complete();
    await call;
    await vi.advanceTimersByTimeAsync(9 * patienceMs);
    expect(exchange.socket.onStreamZero).toEqual([]);
    expect(exchange.socket.isClosed).toBe(false);
  });
});

describe("what is no frame", () => {
  it.each([
    ["text", "hello"],
    ["an unknown kind", Uint8Array.of(1, 0, 0, 0, 99, 0, 0, 0, 0)],
    ["nothing", new Uint8Array(0)],
  ])("(%s) ends the socket and what is under way, and throws nothing into it", async (_what, data) => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("echo");
    const { socket } = await scene.broker.nextExchange();
    socket.pushRaw(data);
    await expect(call).rejects.toMatchObject({ reason: "bad_frame", phase: "execution" });
    expect(socket.isClosed).toBe(true);
  });

  it("and what a broker says before it closes is told to all", async () => {
    await using scene = startBrokerScene();
    const call = scene.fleet.call("echo");
    (await scene.broker.nextExchange()).socket.refuse({ code: "invalid_argument", reason: "body_too_slow", message: "its reader takes nothing" });
    await expect(call).rejects.toMatchObject({ reason: "body_too_slow", phase: "execution" });
    await settled();
  });
});
