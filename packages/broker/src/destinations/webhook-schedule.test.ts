import { describe, expect, it } from "vitest";
import { deliveryLifeMs, nextDelivery } from "./webhook-schedule.ts";

/** Every time at which a delivery that always fails is sent, in seconds after the first one. */
function timesOf(random: number): number[] {
  const times = [0];
  let [attempt, atMs] = [1, 0];
  for (;;) {
    const next = nextDelivery({ attempt, firstSentAtMs: 0, endedAtMs: atMs }, random);
    if (next.next === "end") return times;
    [attempt, atMs] = [next.attempt, next.notBeforeMs];
    times.push(atMs / 1000);
  }
}

describe("nextDelivery()", () => {
  it("waits longer and longer, up to two hours, and gives up after a day", () => {
    const times = timesOf(0);
    expect(times.slice(0, 8)).toEqual([0, 5, 35, 155, 755, 2555, 6155, 13_355]);
    expect(times.slice(8).every((time, index) => time - times[index + 7]! === 7_200)).toBe(true);
    expect(times.at(-1)!).toBeLessThanOrEqual(deliveryLifeMs / 1000);
    expect(times.at(-1)! + 7_200).toBeGreaterThan(deliveryLifeMs / 1000);
  });

  it("spreads by at most a fifth, and never sooner", () => {
    expect(timesOf(1).slice(0, 4)).toEqual([0, 6, 42, 186]);
    expect(nextDelivery({ attempt: 1, firstSentAtMs: 100, endedAtMs: 1_000 }, 0.5)).toEqual({ next: "again", attempt: 2, notBeforeMs: 6_500 });
  });

  it("waits as long as the receiver asks, and spreads that as well", () => {
    expect(nextDelivery({ attempt: 1, firstSentAtMs: 0, endedAtMs: 0, retryAfterMs: 60_000 }, 1)).toEqual({ next: "again", attempt: 2, notBeforeMs: 61_000 });
    expect(nextDelivery({ attempt: 3, firstSentAtMs: 0, endedAtMs: 0, retryAfterMs: 1 }, 0)).toEqual({ next: "again", attempt: 4, notBeforeMs: 120_000 });
  });

  it("gives up where the receiver asks for more than the day has", () => {
    expect(nextDelivery({ attempt: 1, firstSentAtMs: 0, endedAtMs: 0, retryAfterMs: deliveryLifeMs }, 0)).toMatchObject({ next: "again" });
    expect(nextDelivery({ attempt: 1, firstSentAtMs: 0, endedAtMs: 1, retryAfterMs: deliveryLifeMs }, 0)).toEqual({ next: "end" });
  });
});
