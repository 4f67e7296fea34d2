import { describe, expect, it } from "vitest";
import { bytes, describeStore, Followed } from "../../packages/broker/src/bus/testing/store-contract.ts";
import { event, TestBus } from "../support/nats.ts";

const options = { history: 1, ttlMs: 0, storage: "file" } as const;

describeStore("the store on the bus", async () => {
  const testBus = await TestBus.start();
  const [one, two, three] = [await testBus.broker("b1"), await testBus.broker("b2"), await testBus.broker("b3")];
  return { stores: [one.store, two.store, three.store] as const, [Symbol.asyncDispose]: () => testBus[Symbol.asyncDispose]() };
});

describe("a bucket", () => {
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
    expect(broker.counters.get("records_refused")).toBe(0);
  });

  it("that is refused, since there is one, or cannot be sent takes none of those written with it along", async () => {
    await using testBus = await TestBus.start();
    const broker = await testBus.broker("b1");
    const { records } = broker.store;
    records.append("default", "i1", { index: 1 }, bytes(""));
    await records.flush();
    records.append("default", "large", {}, new Uint8Array(2 * 2 ** 20));
    for (const [id, index] of [["i2", 2], ["i1", 0], ["i3", 3], ["i2", 0]] as const) records.append("default", id, { index }, bytes(""));
    await records.flush();
    expect(await Promise.all(["i1", "i2", "i3", "large"].map(async (id) => (await records.read("default", id))?.head))).toEqual([{ index: 1 }, { index: 2 }, { index: 3 }, undefined]);
    expect([broker.counters.get("records_dropped"), broker.counters.get("records_refused")]).toEqual([1, 1]);
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
