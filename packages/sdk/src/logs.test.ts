import type { LogLine } from "@longshore/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startBrokerScene } from "./testing/broker-scene.ts";
import type { FakeExchange } from "./testing/fake-broker.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"] }));
afterEach(() => {
  expect(vi.getTimerCount(), "timers left").toBe(0);
  vi.useRealTimers();
});

const lineOf = (at: number, line: string, changes: Partial<LogLine> = {}): LogLine => ({ at: new Date(at).toISOString(), siteId: "plant", agentId: "a1", instanceId: "i", functionName: "f", revisionId: "f-r1", stream: "stdout", line, ...changes });
const tell = (exchange: FakeExchange, ...lines: LogLine[]) => exchange.data(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));

/** Everything that a reading gives, as it comes; `ended` settles with it. */
function follow(lines: AsyncIterable<LogLine>) {
  const texts: string[] = [];
  const ended = (async () => {
    for await (const { line } of lines) texts.push(line);
  })();
  ended.catch(() => undefined);
  return { texts, ended, until: (count: number) => vi.waitUntil(() => texts.length >= count) };
}

describe("logs() over a WebSocket", () => {
  it("asks for what is wanted and ends with the broker's end", async () => {
    await using scene = startBrokerScene();
    const { texts, ended } = follow(scene.fleet.logs("f", { tail: 5, sinceMs: 60_000, siteId: "plant", agentId: "a1", instanceId: "i", stream: "stderr" }));
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head).toEqual({ what: "logs", functionName: "f", follow: false, tail: 5, sinceMs: 60_000, siteId: "plant", agentId: "a1", instanceId: "i", stream: "stderr" });
    exchange.begin();
    tell(exchange, lineOf(1, "one"), lineOf(2, "grüße \u2028"));
    exchange.end();
    await ended;
    expect(texts).toEqual(["one", "grüße \u2028"]);
  });

  it("reads an invocation's by its id", async () => {
    await using scene = startBrokerScene();
    const { texts, ended } = follow(scene.fleet.invocation("some-id").logs({ follow: true }));
    const exchange = await scene.broker.nextExchange();
    expect(exchange.head).toEqual({ what: "logs", invocationId: "some-id", follow: true, tail: 100 });
    exchange.begin();
    tell(exchange, lineOf(1, "mine"));
    exchange.end();
    await ended;
    expect(texts).toEqual(["mine"]);
  });

  it("rejects with what the broker refused it for", async () => {
    await using scene = startBrokerScene();
    const { ended } = follow(scene.fleet.logs("f", { follow: true }));
    (await scene.broker.nextExchange()).fail({ code: "not_found", reason: "function_not_found", phase: "admission", message: "no" });
    await expect(ended).rejects.toMatchObject({ reason: "function_not_found" });
  });

  it("ends with its signal, and tells the broker when its reader leaves", async () => {
    await using scene = startBrokerScene();
    const leaving = new AbortController();
    const following = follow(scene.fleet.logs("f", { follow: true, signal: leaving.signal }));
    const exchange = await scene.broker.nextExchange();
    leaving.abort();
    await following.ended;
    expect(await exchange.next()).toMatchObject({ kind: "cancel" });
    const reading = (async () => {
      for await (const _ of scene.fleet.logs("f", { follow: true })) break;
    })();
    const other = await scene.broker.nextExchange();
    tell(other, lineOf(1, "one"));
    await reading;
    expect(await other.next()).toMatchObject({ kind: "cancel" });
  });

  it("grants credit for what was read only", async () => {
    await using scene = startBrokerScene();
    const lines = scene.fleet.logs("f", { follow: true });
    const first = lines.next();
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    for (let index = 0; index < 20; index += 1) tell(exchange, lineOf(index, "x".repeat(20_000)));
    await first;
    expect(exchange.waiting).toBe(0);
    for (let index = 1; index < 20; index += 1) await lines.next();
    expect(await exchange.next()).toMatchObject({ kind: "credit" });
    await lines.return(undefined);
  });

  it("goes on over the next connection with what was written meanwhile, and gives no line twice", async () => {
    await using scene = startBrokerScene();
    const { texts, until } = follow(scene.fleet.logs("f", { follow: true, tail: 1 }));
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    tell(exchange, lineOf(1_000, "one"), lineOf(2_000, "two"), lineOf(5_000, "other", { agentId: "a2" }));
    await until(3);
    exchange.socket.break();
    await vi.waitUntil(async () => {
      await vi.advanceTimersByTimeAsync(1_000);
      return scene.broker.sockets.length > 1;
    });
    const next = await scene.broker.nextExchange();
    expect(next.head).toMatchObject({ what: "logs", functionName: "f", follow: true, tail: 10_000 });
    expect(next.head["sinceMs"]).toBeGreaterThan(10_000);
    next.begin();
    tell(next, lineOf(1_000, "one"), lineOf(2_000, "two"), lineOf(3_000, "three"), lineOf(5_000, "other", { agentId: "a2" }), lineOf(3_000, "four"));
    await until(5);
    expect(texts).toEqual(["one", "two", "other", "three", "four"]);
  });

  it("rejects when the connection breaks and nothing is to be followed", async () => {
    await using scene = startBrokerScene();
    const { ended } = follow(scene.fleet.logs("f"));
    const exchange = await scene.broker.nextExchange();
    exchange.begin();
    exchange.socket.break();
    await expect(ended).rejects.toMatchObject({ reason: "connection_lost" });
  });
});

describe("logs() of several functions", () => {
  it("are put in order of time and cut together", async () => {
    await using scene = startBrokerScene();
    const { texts, ended } = follow(scene.fleet.logs(["a", "b", "a"], { tail: 3 }));
    const one = await scene.broker.nextExchange();
    const other = await scene.broker.nextExchange();
    expect([one.head["functionName"], other.head["functionName"]]).toEqual(["a", "b"]);
    tell(one, lineOf(1, "1"), lineOf(3, "3"));
    tell(other, lineOf(2, "2"), lineOf(4, "4"));
    one.end();
    other.end();
    await ended;
    expect(texts).toEqual(["2", "3", "4"]);
  });

  it("are followed as they come, and end all with the first error", async () => {
    await using scene = startBrokerScene();
    const { texts, ended, until } = follow(scene.fleet.logs(["a", "b"], { follow: true }));
    const one = await scene.broker.nextExchange();
    const other = await scene.broker.nextExchange();
    tell(other, lineOf(1, "b1"));
    await until(1);
    tell(one, lineOf(2, "a1"), lineOf(3, "a2"));
    await until(3);
    expect(texts).toEqual(["b1", "a1", "a2"]);
    one.fail({ code: "not_found", reason: "function_not_found", phase: "admission", message: "no" });
    await expect(ended).rejects.toMatchObject({ reason: "function_not_found" });
    await vi.waitUntil(() => other.waiting > 0);
  });
});
