import { historyQuerySchema, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { describeHistory, FollowedHistory } from "../../packages/broker/src/bus/testing/history-contract.ts";
import { systemClock } from "../../packages/broker/src/clock.ts";
import { History } from "../../packages/broker/src/history/history.ts";
import { TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

describeHistory("the history on the bus", async () => {
  const testBus = await TestBus.start();
  const [one, two] = [await testBus.broker("b1"), await testBus.broker("b2")];
  return { histories: [one.store.history, two.store.history] as const, [Symbol.asyncDispose]: () => testBus[Symbol.asyncDispose]() };
});

const name = (atMs: number) => ({ brokerId: "b1", stepMs: 10_000, atMs });

describe("what ended", () => {
  it("is told by a broker that began after the one that counted it had gone, and the bus with it", async () => {
    await using testBus = await TestBus.start();
    const acme = "acme" as TenantId;
    // In the middle of a minute, and ten seconds later: the step under way is in no history.
    const countedMs = Math.floor(Date.now() / 60_000) * 60_000 + 30_000;
    const open = async (brokerId: string, atMs: number) => {
      const bus = await testBus.broker(brokerId);
      const history = new History({ brokerId, store: bus.store.history, clock: { ...systemClock, date: () => new Date(atMs) }, hasFunction: () => true, log: silentLog });
      history.start();
      return { bus, history };
    };
    const one = await open("b1", countedMs);
    for (let times = 0; times < 10; times += 1) one.history.ended(acme, { functionName: "resize", result: { outcome: "failed" } }, 5);
    await one.history.close();
    await one.bus.close();
    await testBus.stopServer();
    await testBus.startServer();
    const other = await open("b2", countedMs + 10_000);
    const told = () => other.history.read(acme, historyQuerySchema.parse({ lastMs: 86_400_000 })).functions;
    await expect.poll(told, { timeout: 10_000 }).toMatchObject([{ name: "resize", points: [{ outcomes: { failed: 10 }, durations: { count: 10, maxMs: 5 } }] }]);
    await other.history.close();
  });

  it("is dropped and counted while the bus is away, and followed again from its beginning when that is back", async () => {
    await using testBus = await TestBus.start();
    const bus = await testBus.broker("b1");
    const followed = new FollowedHistory();
    await bus.store.history.write(name(10_000), 3_600_000, { n: 1 });
    await bus.store.history.follow(followed.follower).ready;
    await testBus.stopServer();
    await bus.store.history.write(name(20_000), 3_600_000, { n: 2 });
    expect(bus.counters.get("history_dropped")).toBe(1);
    await testBus.startServer();
    await followed.until(() => followed.told.length === 2);
    expect(followed.told[1]).toEqual([name(10_000), { n: 1 }]);
  });

  it("goes when its time is over", async () => {
    await using testBus = await TestBus.start();
    const bus = await testBus.broker("b1");
    await bus.store.history.write(name(10_000), 1_000, { n: 1 });
    await bus.store.history.write(name(20_000), 3_600_000, { n: 2 });
    await expect.poll(async () => {
      const followed = new FollowedHistory();
      const follow = bus.store.history.follow(followed.follower);
      await follow.ready;
      follow.close();
      return followed.told.map(([{ atMs }]) => atMs);
    }, { timeout: 20_000 }).toEqual([20_000]);
  });
});
