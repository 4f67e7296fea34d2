import type { FleetEvent } from "@longshore/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startBrokerScene } from "./testing/broker-scene.ts";
import type { FakeExchange } from "./testing/fake-broker.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] }));
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

const gone = (agentId: string): FleetEvent => ({ event: "agent_gone", agentId });
const tell = (exchange: FakeExchange, ...events: unknown[]) => exchange.data(events.map((event) => `${JSON.stringify(event)}\n`).join(""));
const nextExchange = async ({ broker }: ReturnType<typeof startBrokerScene>, sockets: number) => {
  await vi.waitUntil(() => broker.sockets.length >= sockets);
  return broker.sockets[sockets - 1]!.nextExchange();
};

/** Everything that a watch gives, as it comes; `ended` settles with it. */
function follow(watch: AsyncIterable<FleetEvent>) {
  const events: FleetEvent[] = [];
  const ended = (async () => {
    for await (const event of watch) events.push(event);
  })();
  ended.catch(() => undefined);
  const until = (count: number) => vi.waitUntil(() => events.length >= count);
  return { events, ended, until };
}

describe("watch()", () => {
  it("gives events as they come, whatever the parts they come in", async () => {
    await using scene = startBrokerScene();
    const leaving = new AbortController();
    const { events, ended, until } = follow(scene.fleet.watch({ signal: leaving.signal }));
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head).toEqual({ what: "watch" });
    exchange.begin();
    const lines = new TextEncoder().encode(`${JSON.stringify(gone("ä"))}\n${JSON.stringify({ event: "caught_up" })}\n`);
    for (const byte of lines) exchange.data(Uint8Array.of(byte));
    await until(2);
    expect(events).toEqual([gone("ä"), { event: "caught_up" }]);
    leaving.abort();
    await ended;
  });

  it("skips events that this build does not know", async () => {
    await using scene = startBrokerScene();
    const { events, until } = follow(scene.fleet.watch());
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    tell(exchange, { event: "eclipse" }, { event: "agent_gone" }, gone("a"));
    await until(1);
    expect(events).toEqual([gone("a")]);
  });

  it("ends with its signal: before it began, while it waits, and in the middle of what has come", async () => {
    await using scene = startBrokerScene();
    await follow(scene.fleet.watch({ signal: AbortSignal.abort() })).ended;
    expect(scene.broker.sockets).toEqual([]);

    const leaving = new AbortController();
    const waiting = follow(scene.fleet.watch({ signal: leaving.signal }));
    const exchange = await scene.broker.nextExchange();
    leaving.abort();
    await waiting.ended;
    expect(await exchange.next()).toEqual({ kind: "cancel", head: { reason: "requested" } });

    const leavingLater = new AbortController();
    const events: FleetEvent[] = [];
    const reading = (async () => {
      for await (const event of scene.fleet.watch({ signal: leavingLater.signal })) {
        events.push(event);
        leavingLater.abort();
      }
    })();
    tell(await scene.broker.nextExchange(), gone("a"), gone("b"));
    await reading;
    expect(events).toEqual([gone("a")]);
  });

  it("tells the broker when its reader leaves, and the socket closes in time", async () => {
    await using scene = startBrokerScene({ idleMs: 1_000 });
    const reading = (async () => {
      for await (const _ of scene.fleet.watch()) break;
    })();
    const exchange = await scene.broker.nextExchange();
    tell(exchange, gone("a"));
    await reading;
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(exchange.socket.isClosed).toBe(true);
  });

  it("begins again after a broken connection and a draining broker, however long that takes", async () => {
    await using scene = startBrokerScene({ connectTimeoutMs: 1_000 });
    const { events, until } = follow(scene.fleet.watch());
    const first = await scene.broker.nextExchange();
    tell(first, gone("a"));
    await until(1);
    scene.broker.isReachable = false;
    first.socket.break();
    await vi.advanceTimersByTimeAsync(60_000);
    scene.broker.isReachable = true;
    await vi.advanceTimersByTimeAsync(10_000);
    const second = await scene.broker.nextExchange();
    tell(second, gone("b"));
    await until(2);
    const sockets = scene.broker.sockets.length;
    second.socket.drain();
    second.fail({ code: "unavailable", reason: "broker_draining", message: "no" });
    await vi.advanceTimersByTimeAsync(1_000);
    tell(await nextExchange(scene, sockets + 1), gone("c"));
    await until(3);
    expect(events).toEqual([gone("a"), gone("b"), gone("c")]);
  });

  it("rejects when no broker is there to begin with, and with what will not pass", async () => {
    await using scene = startBrokerScene({ connectTimeoutMs: 1_000 });
    scene.broker.isReachable = false;
    const never = expect(follow(scene.fleet.watch()).ended).rejects.toMatchObject({ reason: "connection_lost" });
    await vi.advanceTimersByTimeAsync(1_000);
    await never;
    scene.broker.isReachable = true;
    const { ended, until } = follow(scene.fleet.watch());
    await vi.advanceTimersByTimeAsync(0);
    const exchange = await scene.broker.nextExchange();
    tell(exchange, gone("a"));
    await until(1);
    exchange.fail({ code: "resource_exhausted", reason: "quota", message: "too far behind" });
    await expect(ended).rejects.toMatchObject({ reason: "quota" });
  });

  it("rejects when the client is closed", async () => {
    const scene = startBrokerScene();
    const { ended, until } = follow(scene.fleet.watch());
    tell(await scene.broker.nextExchange(), gone("a"));
    await until(1);
    await scene.fleet.close();
    await expect(ended).rejects.toMatchObject({ reason: "connection_lost" });
  });

  it("rejects on frames that make no sense, and leaves the others alone", async () => {
    await using scene = startBrokerScene();
    const { ended } = follow(scene.fleet.watch());
    const exchange = await scene.broker.nextExchange();
    const call = scene.fleet.call("echo");
    exchange.push({ kind: "data", sequence: 7, body: new Uint8Array(1) });
    await expect(ended).rejects.toMatchObject({ reason: "bad_frame" });
    (await scene.broker.nextExchange()).complete();
    await call;
  });
});
