import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { PoolDrain } from "./pool-drain.ts";

function scene() {
  const clock = new ManualClock();
  const told: string[] = [];
  const emptied = Promise.withResolvers<void>();
  const pool = {
    drain: () => (told.push("drain"), emptied.promise),
    endAll: () => void told.push("endAll"),
    resume: () => void told.push("resume"),
  };
  return { clock, told, empty: emptied.resolve, drain: new PoolDrain(pool, clock) };
}

describe("a drain with a deadline", () => {
  it("ends what has work when its time is over, and is done when nothing is left", async () => {
    const { clock, told, empty, drain } = scene();
    let isDone = false;
    const done = drain.drain(8_000).then(() => (isDone = true));
    clock.advance(7_999);
    expect(told).toEqual(["drain"]);
    clock.advance(1);
    expect(told).toEqual(["drain", "endAll"]);
    await Promise.resolve();
    expect(isDone).toBe(false);
    empty();
    await done;
    expect(clock.pending).toBe(0);
  });

  it("ends nothing where all is done in time", async () => {
    const { clock, told, empty, drain } = scene();
    const done = drain.drain(8_000);
    empty();
    await done;
    clock.advance(8_000);
    expect(told).toEqual(["drain"]);
  });

  it("ends nothing once it is undone", async () => {
    const { clock, told, drain } = scene();
    const done = drain.drain(8_000);
    drain.resume();
    await done;
    clock.advance(8_000);
    expect(told).toEqual(["drain", "resume"]);
  });

  it("gives way to another: its time counts", async () => {
    const { clock, told, empty, drain } = scene();
    const first = drain.drain(1_000);
    const second = drain.drain(8_000);
    await first;
    clock.advance(7_999);
    expect(told).toEqual(["drain", "drain"]);
    clock.advance(1);
    expect(told).toEqual(["drain", "drain", "endAll"]);
    empty();
    await second;
  });
});
