import type { MissedPolicy } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { decide, dueRuns, maxMadeUp, missedAfterMs, nextLook, settled } from "./decide.ts";
import { defined, type StoredSchedule, withPause } from "./stored-schedule.ts";

const timing = { everyMs: 60_000, anchorMs: 0 };
const minutes = (...values: number[]) => values.map((value) => value * 60_000);
const stored = (overrides: Partial<StoredSchedule> & { missed?: MissedPolicy } = {}): StoredSchedule => {
  const { missed = "once", ...rest } = overrides;
  return { tenantId: "acme", definition: { name: "n", function: "f", everyMs: 60_000, missed }, paused: false, creationId: "c", createdAtMs: 0, updatedAtMs: 0, anchorMs: 0, doneMs: 0, ...rest };
};

describe("dueRuns()", () => {
  const late = 5 * 60_000 + missedAfterMs;
  it.each<[MissedPolicy, number, readonly number[] | undefined, number]>([
    ["skip", 59_999, undefined, 0],
    ["once", 59_999, undefined, 0],
    ["all", 59_999, undefined, 0],
    ["skip", 60_000, [1], 1],
    ["once", 60_000, [1], 1],
    ["all", 60_000, [1], 1],
    ["skip", late, [5], 5],
    ["skip", late + 1, [], 5],
    ["once", late + 1, [5], 5],
    ["all", late + 1, [1, 2, 3, 4, 5], 5],
  ])("by %s at %i ms runs %o, and is done with minute %i", (missed, nowMs, runs, until) => {
    expect(dueRuns(timing, missed, 0, nowMs)).toEqual(runs === undefined ? undefined : { runs: minutes(...runs), untilMs: until * 60_000 });
  });

  it("makes up the last thousand at most, a hundred at a time", () => {
    const found = dueRuns(timing, "all", 0, 5_000 * 60_000);
    expect(found?.runs).toHaveLength(100);
    expect(found?.runs[0]).toBe((5_000 - maxMadeUp + 1) * 60_000);
    expect(found?.untilMs).toBe(found?.runs.at(-1));
  });
});

describe("decide()", () => {
  it("waits until it is due, then plans, then runs what is planned", () => {
    expect(decide(stored(), 59_999)).toEqual({ kind: "wait" });
    const planned = { runs: minutes(1), untilMs: 60_000, plannedAtMs: 61_000 };
    expect(decide(stored(), 61_000)).toEqual({ kind: "write", next: stored({ planned }) });
    expect(decide(stored({ planned }), 61_000)).toEqual({ kind: "run", dueMs: 60_000 });
    // Also by a clock that is behind.
    expect(decide(stored({ planned }), 0)).toEqual({ kind: "run", dueMs: 60_000 });
  });

  it("does nothing while it is paused, whatever is due or planned", () => {
    expect(decide(stored({ paused: true, planned: { runs: minutes(1), untilMs: 60_000, plannedAtMs: 0 } }), 600_000)).toEqual({ kind: "wait" });
  });

  it.each<[MissedPolicy, object]>([
    ["skip", { kind: "write", next: stored({ missed: "skip", doneMs: 600_000 }) }],
    ["once", { kind: "write", next: stored({ planned: { runs: minutes(10), untilMs: 600_000, plannedAtMs: 650_000 } }) }],
    ["all", { kind: "run", dueMs: 60_000 }],
  ])("by %s lets a plan that was not carried out give way to what it missed meanwhile, or not", (missed, step) => {
    expect(decide(stored({ missed, planned: { runs: minutes(1), untilMs: 60_000, plannedAtMs: 60_000 } }), 650_000)).toEqual(step);
  });

  it("by skip gives up a plan that was not carried out in time", () => {
    const planned = { runs: minutes(1), untilMs: 60_000, plannedAtMs: 60_000 };
    expect(decide(stored({ missed: "skip", planned }), 60_000 + missedAfterMs)).toEqual({ kind: "run", dueMs: 60_000 });
    expect(decide(stored({ missed: "skip", planned }), 60_001 + missedAfterMs)).toEqual({ kind: "write", next: stored({ missed: "skip", doneMs: 60_000 }) });
  });

  it("by all goes through what is planned one after another, and on from there", () => {
    let now: StoredSchedule = stored({ missed: "all" });
    const ran: number[] = [];
    for (let step = decide(now, 310_000); step.kind !== "wait"; step = decide(now, 310_000)) {
      if (step.kind === "run") ran.push(step.dueMs);
      now = step.kind === "write" ? step.next : settled(now, { dueMs: step.dueMs, invocationId: "i" }, 310_000);
    }
    expect(ran).toEqual(minutes(1, 2, 3, 4, 5));
    expect(now).toMatchObject({ doneMs: 300_000, last: { dueMs: 300_000 } });
    expect(now.planned).toBeUndefined();
  });
});

describe("what stands after a change", () => {
  const made = { creationId: "d", nowMs: 615_000 };
  const planned = { runs: minutes(9), untilMs: 540_000, plannedAtMs: 0 };
  it("keeps plan, creation and due times where only what is sent changed", () => {
    const before = stored({ planned, doneMs: 480_000 });
    expect(defined(before, "acme", { ...before.definition, body: "new" } as never, made)).toEqual({ ...before, definition: { ...before.definition, body: "new" }, updatedAtMs: 615_000 });
  });

  it("begins anew where its times changed", () => {
    const after = defined(stored({ planned, doneMs: 480_000 }), "acme", { ...stored().definition, everyMs: 30_000 } as never, made);
    expect(after).toMatchObject({ creationId: "c", doneMs: 615_000, anchorMs: 615_000 });
    expect(after.planned).toBeUndefined();
  });

  it("leaves a pause alone unless told, and makes nothing up that came due in it", () => {
    const paused = withPause(stored({ planned }), true, 60_000);
    expect(paused.planned).toBeUndefined();
    expect(defined(paused, "acme", paused.definition as never, made).paused).toBe(true);
    const resumed = defined(paused, "acme", { ...paused.definition, paused: false } as never, made);
    expect(resumed).toMatchObject({ paused: false, doneMs: 615_000 });
    expect(decide(resumed, 659_999)).toEqual({ kind: "wait" });
    expect(nextLook(resumed, 5_000)).toBe(665_000);
    expect(nextLook(paused, 0)).toBeUndefined();
  });
});
