import { historyQuerySchema, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryHistory } from "../bus/testing/memory-history.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { History } from "./history.ts";

const acme = "acme" as TenantId;
const minute = 60_000;
const warm = { functionName: "resize", result: { outcome: "succeeded" }, start: "warm" } as const;
const failed = { functionName: "resize", result: { outcome: "failed" } } as const;

function setUp(beginning?: number) {
  const [clock, store] = [new ManualClock(beginning), new MemoryHistory()];
  const broker = (brokerId: string) => {
    const history = new History({ brokerId, store, clock, hasFunction: () => true, log: pino({ level: "silent" }) });
    history.start();
    return history;
  };
  const advance = async (byMs: number) => {
    clock.advance(byMs);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  const sums = (history: History, query: Record<string, unknown> = {}) => history.read(acme, historyQuerySchema.parse(query)).functions.map(({ name, points }) => [name, points.reduce((sum, { outcomes }) => sum + Object.values(outcomes).reduce((a, b) => a + b, 0), 0)]);
  return { clock, store, broker, advance, sums };
}

describe("the history", () => {
  it("is the same at every broker, whichever counted, once a step is over", async () => {
    const rig = setUp();
    const [one, other] = [rig.broker("b1"), rig.broker("b2")];
    one.ended(acme, warm, 10);
    one.ended(acme, failed);
    other.ended(acme, warm, 30);
    other.ended("globex" as TenantId, warm, 5);
    expect(rig.sums(one)).toEqual([]);
    await rig.advance(10_000);
    for (const history of [one, other]) {
      const { functions, stepMs, fromMs, untilMs } = history.read(acme, historyQuerySchema.parse({}));
      expect({ stepMs, length: untilMs - fromMs }).toEqual({ stepMs: 10_000, length: 3_600_000 });
      expect(functions).toMatchObject([{ name: "resize", points: [{ atMs: rig.clock.date().getTime() - 10_000, outcomes: { succeeded: 2, failed: 1 }, starts: { warm: 2 }, durations: { count: 2, maxMs: 30 } }] }]);
    }
  });

  it("outlives the brokers that counted it, at each fineness, and is counted once", async () => {
    const rig = setUp();
    const first = rig.broker("b1");
    for (let step = 0; step < 100; step += 1) {
      first.ended(acme, warm, 1);
      await rig.advance(10_000);
    }
    first.ended(acme, warm, 1); // Of a step that never ends.
    await first.close();
    const second = rig.broker("b2");
    await rig.advance(10_000);
    for (const lastMs of [3_600_000, 86_400_000, 604_800_000]) expect(rig.sums(second, { lastMs }), String(lastMs)).toEqual([["resize", 101]]);
    await rig.advance(2 * 3_600_000);
    const third = rig.broker("b3");
    expect([rig.sums(third, { lastMs: 3_600_000 }), rig.sums(third, { lastMs: 86_400_000 })]).toEqual([[], [["resize", 101]]]);
    expect(rig.sums(third, { lastMs: 86_400_000, function: "other" })).toEqual([]);
  });

  it("writes a summary for each step in which something ended, and none for others", async () => {
    const rig = setUp(Date.UTC(2026, 10, 25, 0, 0, 3));
    const history = rig.broker("b1");
    await rig.advance(20 * minute);
    expect(rig.store.stored.size).toBe(0);
    history.ended(acme, warm, 1);
    await rig.advance(20 * minute);
    expect([...rig.store.stored.values()].map(({ name, lifeMs }) => [name.stepMs, lifeMs])).toEqual([[10_000, 3_610_000], [60_000, 86_460_000], [900_000, 605_700_000]]);
    expect([...rig.store.stored.values()].every(({ name }) => name.atMs % name.stepMs === 0)).toBe(true);
  });

  it("is answered by the broker that counted it while the bus is away", async () => {
    const rig = setUp();
    const history = rig.broker("b1");
    rig.store.isAway = true;
    history.ended(acme, warm, 1);
    await rig.advance(10_000);
    expect([rig.sums(history), rig.store.dropped]).toEqual([[["resize", 1]], 1]);
    rig.store.isAway = false;
    await rig.advance(minute);
    expect(rig.sums(rig.broker("b2"), { lastMs: 86_400_000 })).toEqual([["resize", 1]]); // By the minute's summary.
  });

  it("goes on where the clock is set back, or a timer comes too early", async () => {
    const rig = setUp();
    const history = rig.broker("b1");
    let behindMs = 0;
    const date = rig.clock.date.bind(rig.clock);
    rig.clock.date = () => new Date(date().getTime() - behindMs);
    history.ended(acme, warm, 1);
    behindMs = 5_000;
    await rig.advance(10_000);
    history.ended(acme, warm, 1);
    expect(rig.store.stored.size).toBe(0);
    await rig.advance(5_000);
    expect(rig.store.stored.size).toBe(1);
    expect(rig.sums(history)).toEqual([["resize", 2]]);
    behindMs += 20_000; // The step that was written comes a second time.
    await rig.advance(10_000);
    history.ended(acme, warm, 1);
    for (let step = 0; step < 7; step += 1) await rig.advance(10_000);
    expect(rig.sums(history, { lastMs: 86_400_000 })).toEqual([["resize", 3]]);
  });

  it("takes in nothing that it cannot read, and counts it", () => {
    const rig = setUp();
    const history = rig.broker("b1");
    const name = { brokerId: "b9", stepMs: 10_000, atMs: rig.clock.date().getTime() };
    void rig.store.write(name, 1, { functions: [["acme/resize", { outcomes: { succeeded: -1 }, starts: {} }]] });
    void rig.store.write({ ...name, stepMs: 7 }, 1, { functions: [] });
    void rig.store.write({ ...name, atMs: 5 }, 1, { functions: [] });
    void rig.store.write({ ...name, brokerId: "b8" }, 1, { functions: [["acme/resize", { outcomes: {}, starts: {}, durations: { buckets: [100_000, 1], maxMs: 1 } }]] });
    return rig.advance(1).then(() => {
      expect(history.load).toMatchObject({ points: 0, unreadable: 4 });
    });
  });

  it("is closed twice as once", async () => {
    const rig = setUp();
    const history = rig.broker("b1");
    history.ended(acme, warm, 1);
    await Promise.all([history.close(), history.close()]);
    expect(rig.clock.pending).toBe(0);
    expect(rig.store.stored.size).toBe(3);
  });
});
