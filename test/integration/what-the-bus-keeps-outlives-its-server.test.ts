import { describe, expect, it } from "vitest";
import type { Bucket, Entry } from "../../packages/broker/src/bus/bus.ts";
import { event, TestBus } from "../support/nats.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined) => (value === undefined ? undefined : new TextDecoder().decode(value));
const options = { history: 1, ttlMs: 0, storage: "file" } as const;

/** Follows a bucket, and lets a test wait for what it is told. */
class Followed {
  readonly state = new Map<string, string>();
  readonly log: string[] = [];
  readonly #waiting: (() => void)[] = [];

  readonly handler = ({ key, value, deleted }: Entry) => {
    if (deleted) this.state.delete(key);
    else this.state.set(key, text(value) ?? "");
    this.log.push(deleted ? `-${key}` : `${key}=${text(value) ?? ""}`);
    for (const resolve of this.#waiting.splice(0)) resolve();
  };

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

describe("a bucket", () => {
  it("lets one of many writers create, or change, an entry", async () => {
    await using testBus = await TestBus.start();
    const buckets = await Promise.all(["b1", "b2", "b3"].map(async (id) => (await testBus.broker(id)).store.bucket("things", options)));
    const [bucket] = buckets as [Bucket, Bucket, Bucket];
    const created = await Promise.all(buckets.map((each, index) => each.create("a.b", bytes(String(index)))));
    expect(created.filter((revision) => revision !== undefined)).toHaveLength(1);
    const { revision } = (await bucket.get("a.b"))!;
    const updated = await Promise.all(buckets.map((each) => each.update("a.b", bytes("next"), revision)));
    expect(updated.filter((next) => next !== undefined)).toHaveLength(1);
    await bucket.delete("a.b");
    expect(await bucket.get("a.b")).toBeUndefined();
    expect(await bucket.create("a.b", bytes("again"))).toBeDefined();
  });

  it("tells a watcher everything that stands, then every change, in order", async () => {
    await using testBus = await TestBus.start();
    const broker = await testBus.broker("b1");
    const bucket = await broker.store.bucket("things", options);
    const empty = new Followed();
    await bucket.watch(empty.handler);
    await bucket.put("a", bytes("1"));
    await bucket.put("b", bytes("2"));
    const followed = new Followed();
    const watch = await bucket.watch(followed.handler);
    expect(followed.log).toEqual(["a=1", "b=2"]);
    await bucket.put("a", bytes("3"));
    await bucket.delete("b");
    await followed.until(() => followed.log.length === 4);
    await empty.until(() => empty.log.length === 4);
    expect(followed.log).toEqual(["a=1", "b=2", "a=3", "-b"]);
    watch.close();
    await bucket.put("c", bytes("4"));
    await empty.until(() => empty.log.length === 5);
    expect(followed.log).toHaveLength(4);
  });

  it("is there after the server was killed, and its watchers miss nothing that changed meanwhile", async () => {
    await using testBus = await TestBus.start();
    const [one, other] = [await testBus.broker("b1"), await testBus.broker("b2")];
    const bucket = await one.store.bucket("things", options);
    for (const key of ["stays", "changes", "goes"]) await bucket.put(key, bytes("1"));
    const followed = new Followed();
    await bucket.watch(followed.handler);
    const back = event();
    other.onConnectionChange((connected) => connected && back.happen());
    process.kill(testBus.serverPid, "SIGKILL"); // The embedded server is started again by itself.
    await back.happened;
    const changed = await other.store.bucket("things", options);
    await changed.put("changes", bytes("2"));
    await changed.delete("goes");
    await changed.put("new", bytes("1"));
    await followed.until(() => followed.state.get("new") === "1" && !followed.state.has("goes"));
    expect(Object.fromEntries(followed.state)).toEqual({ stays: "1", changes: "2", new: "1" });
    expect(followed.log.filter((line) => line === "stays=1")).toHaveLength(1);
  });

  it("in memory is made anew, and its watchers hear that everything is gone", async () => {
    await using testBus = await TestBus.start();
    const broker = await testBus.broker("b1");
    const bucket = await broker.store.bucket("fleeting", { ...options, storage: "memory" });
    const followed = new Followed();
    await bucket.watch(followed.handler);
    await bucket.put("a", bytes("1"));
    await followed.until(() => followed.state.has("a"));
    await testBus.stopServer();
    await testBus.startServer();
    await followed.until(() => !followed.state.has("a"));
    await bucket.put("b", bytes("2"));
    await followed.until(() => followed.state.has("b"));
    expect(await bucket.get("a")).toBeUndefined();
  });

  it("says that the bus is down while it is", async () => {
    await using testBus = await TestBus.start();
    const broker = await testBus.broker("b1");
    const bucket = await broker.store.bucket("things", options);
    await testBus.stopServer();
    await expect(bucket.put("a", bytes("1"))).rejects.toThrow(expect.objectContaining({ reason: "bus_down" }));
    await testBus.startServer();
  });
});

describe("the record of a sync invocation", () => {
  it("is the first one that was given, from whichever broker", async () => {
    await using testBus = await TestBus.start();
    const [one, other] = [(await testBus.broker("b1")).store.records, (await testBus.broker("b2")).store.records];
    one.append("default", "i1", { outcome: "succeeded" }, bytes("body"));
    await one.flush();
    other.append("default", "i1", { outcome: "lost" }, bytes(""));
    await other.flush();
    const record = await other.read("default", "i1");
    expect({ head: record?.head, body: text(record?.body) }).toEqual({ head: { outcome: "succeeded" }, body: "body" });
    expect(await other.read("another", "i1")).toBeUndefined();
    expect(await other.read("default", "i2")).toBeUndefined();
  });

  it("is written with many others without waiting, and what finds no room is counted", async () => {
    await using testBus = await TestBus.start();
    const broker = await testBus.broker("b1");
    const { records } = broker.store;
    const count = 21_000;
    for (let index = 0; index < count; index += 1) records.append("default", `i${index}`, { index }, new Uint8Array(0));
    expect(broker.counters.get("records_dropped")).toBe(1_000);
    await records.flush();
    expect((await records.read("default", "i19999"))?.head).toEqual({ index: 19_999 });
    expect(await records.read("default", "i20000")).toBeUndefined();
    expect(broker.counters.get("records_refused")).toBeUndefined();
  });

  it("waits for the bus to come back", async () => {
    await using testBus = await TestBus.start();
    const { records } = await testBus.broker("b1").then((broker) => broker.store);
    await testBus.stopServer();
    records.append("default", "i1", { outcome: "succeeded" }, bytes(""));
    await testBus.startServer();
    await records.flush();
    expect((await records.read("default", "i1"))?.head).toEqual({ outcome: "succeeded" });
  });
});

describe("brokers", () => {
  it("ask each other, and take the first answer of one that has any", async () => {
    await using testBus = await TestBus.start();
    const [one, two, three] = [await testBus.broker("b1"), await testBus.broker("b2"), await testBus.broker("b3")];
    one.answerBrokers(() => "my own");
    two.answerBrokers(() => null);
    three.answerBrokers((question) => ({ answered: question }));
    expect(await one.askBrokers({ n: 1 }, 2_000)).toEqual({ answered: { n: 1 } });
    three.answerBrokers(() => null);
    expect(await one.askBrokers({ n: 2 }, 50)).toBeUndefined();
  });
});
