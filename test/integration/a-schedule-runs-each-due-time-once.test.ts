import { LongshoreError, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { NatsBus } from "../../packages/broker/src/bus/nats.ts";
import { terms } from "../../packages/broker/src/bus/testing/queue-contract.ts";
import { systemClock } from "../../packages/broker/src/clock.ts";
import { Schedules } from "../../packages/broker/src/schedules/schedules.ts";
import { event, TestBus } from "../support/nats.ts";
import { silentLog } from "../support/silent-log.ts";

const acme = "acme" as TenantId;

describe("schedules on the bus", () => {
  it("run each due time once with three brokers that all try, one of which goes, and over a restart of the server", { timeout: 60_000 }, async () => {
    await using testBus = await TestBus.start();
    const buses = [await testBus.broker("b1"), await testBus.broker("b2"), await testBus.broker("b3")] as const;
    const accepted: { dueMs: number; brokerId: string }[] = [];
    const enough = event();
    const start = async (bus: NatsBus) => {
      const schedules = new Schedules({
        store: bus.store, clock: systemClock, log: silentLog, brokerId: bus.brokerId,
        // Each takes itself for the owner: the hardest case.
        brokers: () => [bus.brokerId],
        accept: async (run) => {
          const isNew = await bus.store.queue.accept(run, terms(), {}, run.body);
          if (!isNew) throw new LongshoreError("invocation_exists", "Cannot accept: there is one");
          accepted.push({ dueMs: Date.parse(run.request.headers.at(-1)?.[1] ?? ""), brokerId: bus.brokerId });
          if (accepted.length >= 9) enough.happen();
        },
        hasFunction: () => true,
      });
      await schedules.start();
      return schedules;
    };
    const [one, two, three] = [await start(buses[0]), await start(buses[1]), await start(buses[2])];
    await two.set(acme, "gone", { function: "f", everyMs: 3_600_000 });
    await one.remove(acme, "gone");
    await three.set(acme, "gone", { function: "f", everyMs: 3_600_000 });
    const { view } = await one.set(acme, "often", { function: "f", everyMs: 1_000, missed: "all" });
    one.close();
    process.kill(testBus.serverPid, "SIGKILL"); // The embedded server is started again by itself.
    await enough.happened;
    for (const schedules of [two, three]) schedules.close();
    const dues = accepted.map(({ dueMs }) => dueMs).sort((a, b) => a - b);
    expect(dues.slice(0, 9)).toEqual(Array.from({ length: 9 }, (_, index) => Date.parse(view.createdAt) + (index + 1) * 1_000));
    expect(new Set(dues).size).toBe(dues.length);
  });
});
