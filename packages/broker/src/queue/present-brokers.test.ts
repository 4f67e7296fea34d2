import { LongshoreError } from "@longshore/protocol";
import { pino } from "pino";
import { afterEach, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { PresentBrokers } from "./present-brokers.ts";

const log = pino({ level: "silent" });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const started: PresentBrokers[] = [];
afterEach(async () => {
  for (const each of started.splice(0)) await each.close();
});

async function start(brokerId: string, store: MemoryStore, clock: ManualClock) {
  const changes: string[][] = [];
  const brokers: PresentBrokers = new PresentBrokers({ brokerId, store, clock, log, state: () => ({ of: brokerId }), changed: () => changes.push(brokers.ids.toSorted()) });
  started.push(brokers);
  await brokers.start();
  await settled();
  return { brokers, changes };
}

it("brokers learn of one another, and of one that leaves at once", async () => {
  const [store, clock] = [new MemoryStore(), new ManualClock()];
  const one = await start("b-1", store, clock);
  const two = await start("b-2", store, clock);
  expect(one.changes).toEqual([["b-1", "b-2"]]);
  expect(two.brokers.ids.toSorted()).toEqual(["b-1", "b-2"]);
  expect(Object.fromEntries(one.brokers.states)).toEqual({ "b-1": { of: "b-1" }, "b-2": { of: "b-2" } });
  await two.brokers.close();
  await settled();
  expect(one.changes).toEqual([["b-1", "b-2"], ["b-1"]]);
});

it("one that falls silent is gone after three seconds, and there again once it speaks", async () => {
  const [store, clock, frozen] = [new MemoryStore(), new ManualClock(), new ManualClock()];
  const one = await start("b-1", store, clock);
  await start("b-2", store, frozen);
  for (let second = 0; second < 10; second += 1) {
    clock.advance(1_000);
    frozen.advance(1_000);
    await settled();
  }
  expect(one.changes).toEqual([["b-1", "b-2"]]);
  clock.advance(2_000);
  await settled();
  expect(one.changes).toHaveLength(1);
  clock.advance(1_000);
  expect(one.changes.at(-1)).toEqual(["b-1"]);
  frozen.advance(1_000);
  await settled();
  expect(one.changes.at(-1)).toEqual(["b-1", "b-2"]);
});

it("a bus that is away makes nobody stop", async () => {
  const [store, clock] = [new MemoryStore(), new ManualClock()];
  const one = await start("b-1", store, clock);
  store.failing = new LongshoreError("bus_down", "Cannot write: the bus is away");
  clock.advance(5_000);
  await settled();
  store.failing = undefined;
  await start("b-2", store, clock);
  expect(one.brokers.ids.toSorted()).toEqual(["b-1", "b-2"]);
});
