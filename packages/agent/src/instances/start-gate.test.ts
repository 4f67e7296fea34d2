import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { StartGate } from "./start-gate.ts";

/** A host on which something waits for a processor for that share of the time. */
function scene(share: number | undefined) {
  const clock = new ManualClock();
  const state = { share, waitedUs: 0, calls: 0 };
  const gate = new StartGate({ atOnce: 2, clock, waitedUs: () => (state.share === undefined ? undefined : state.waitedUs), again: () => void (state.calls += 1) });
  const pass = (ms: number) => {
    state.waitedUs += ms * 1000 * (state.share ?? 0);
    clock.advance(ms);
  };
  return { gate, state, pass };
}

describe("StartGate", () => {
  it("lets the first few begin whatever the processors do, and more only once there are some to spare", () => {
    const { gate, state, pass } = scene(1);
    expect([gate.mayBegin(0), gate.mayBegin(1), gate.mayBegin(2)]).toEqual([true, true, false]);
    for (let windows = 0; windows < 5; windows += 1) {
      pass(100);
      expect(gate.mayBegin(2)).toBe(false);
    }
    expect(state.calls).toBe(5);
    expect(gate.mayBegin(1)).toBe(true); // One of them is ready.
    state.share = 0.1;
    pass(100);
    expect([gate.mayBegin(2), gate.mayBegin(3), gate.mayBegin(4)]).toEqual([true, true, false]);
    pass(100);
    expect(gate.mayBegin(4)).toBe(true);
  });

  it("takes a time long past for no sign of spare processors", () => {
    const { gate, pass } = scene(0);
    expect(gate.mayBegin(2)).toBe(false);
    pass(60_000);
    expect(gate.mayBegin(2)).toBe(false);
    pass(100);
    expect(gate.mayBegin(2)).toBe(true);
  });

  it("stands open where the kernel does not tell", () => {
    const { gate } = scene(undefined);
    expect([2, 20, 200].map((beginning) => gate.mayBegin(beginning))).toEqual([true, true, true]);
  });

  it("calls nobody once it is closed", () => {
    const { gate, state, pass } = scene(1);
    gate.mayBegin(2);
    gate.close();
    pass(1_000);
    expect(state.calls).toBe(0);
  });
});
