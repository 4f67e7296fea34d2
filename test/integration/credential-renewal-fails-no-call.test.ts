import { describe, expect, it } from "vitest";
import { createNkey } from "../../packages/broker/src/identity/nkey.ts";
import { ask, echo, HeldOrders } from "../support/exchange-ends.ts";
import { address, event, TestBus } from "../support/nats.ts";

const agent = address("plant", "a1");
/** NATS counts in whole seconds: this one is renewed about every two. */
const lifeMs = 3_000;
/** A stream without credit must not outrun a busy machine. */
const frameEveryMs = 1;

describe("a credential's renewal", () => {
  it("fails no call, and opens none twice, while calls run across it", async () => {
    await using testBus = await TestBus.start();
    const key = createNkey("user");
    const fresh = () => testBus.credential("plant", "a1", { key, lifeMs });
    const renewals = 3;
    const renewed = event();
    let renewalCount = 0;
    let opened = 0;
    const bus = testBus.agent("plant", "a1", fresh(), () => {
      renewalCount += 1;
      if (renewalCount === renewals + 1) renewed.happen();
      return Promise.resolve(fresh());
    });
    await bus.start({ ...echo, open: (...order) => { opened += 1; return echo.open(...order); } });
    const broker = await testBus.broker("b1");

    let isOver = false;
    void renewed.happened.then(() => (isOver = true));
    const failures: unknown[] = [];
    let calls = 0;
    const caller = async () => {
      while (!isOver) {
        calls += 1;
        const { failed } = await ask(broker, agent);
        if (failed !== undefined) failures.push(failed);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    expect(failures).toEqual([]);
    expect(calls).toBeGreaterThan(500);
    expect(opened).toBe(calls);
    expect(bus.connected).toBe(true);
  });

  it("breaks no stream that goes on across it", async () => {
    await using testBus = await TestBus.start();
    const key = createNkey("user");
    const fresh = () => testBus.credential("plant", "a1", { key, lifeMs });
    const renewed = event();
    let renewalCount = 0;
    const bus = testBus.agent("plant", "a1", fresh(), () => {
      renewalCount += 1;
      if (renewalCount === 3) renewed.happen();
      return Promise.resolve(fresh());
    });
    const held = new HeldOrders();
    await bus.start(held);
    const broker = await testBus.broker("b1");
    let isOver = false;
    void renewed.happened.then(() => (isOver = true));
    let upward = 0;
    const answered = ask(broker, agent, {}, new Uint8Array(0), (exchange) => {
      const feed = () => {
        upward += 1;
        exchange.send({ kind: "data", sequence: upward, body: new Uint8Array(100) });
        if (!isOver) setTimeout(feed, frameEveryMs);
      };
      feed();
    });
    await held.until(() => held.orders.length === 1);
    const order = held.orders[0]!;
    let downward = 0;
    while (!isOver) {
      downward += 1;
      order.exchange.send({ kind: "data", sequence: downward, body: new Uint8Array(100) });
      await new Promise((resolve) => setTimeout(resolve, frameEveryMs));
    }
    order.exchange.send({ kind: "end", head: { sequenceCount: downward } });
    const { frames, failed } = await answered;
    expect(failed).toBeUndefined();
    expect(frames.slice(0, -1).map((frame) => frame.kind === "data" && frame.sequence)).toEqual(Array.from({ length: downward }, (_, index) => index + 1));
    await held.until(() => order.further.length === upward);
    expect(order.further.map((frame) => frame.kind === "data" && frame.sequence)).toEqual(Array.from({ length: upward }, (_, index) => index + 1));
  });

  it("is done first by an agent whose credential ran out while it was away", async () => {
    await using testBus = await TestBus.start();
    const key = createNkey("user");
    const bus = testBus.agent("plant", "a1", testBus.credential("plant", "a1", { key, lifeMs: -60_000 }), () => Promise.resolve(testBus.credential("plant", "a1", { key, lifeMs: 60_000 })));
    await bus.start(echo);
    expect((await ask(await testBus.broker("b1"), agent)).failed).toBeUndefined();
  });
});
