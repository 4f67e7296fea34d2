import { describe, expect, it } from "vitest";
import { type FaultKind, faultKinds } from "./fault-kinds.ts";
import { describeSchedule, planFaults, type Targets } from "./schedule.ts";

const targets: Targets = Object.fromEntries(faultKinds.map((kind) => [kind, [`${kind.split("_")[0] ?? ""}-a`, `${kind.split("_")[0] ?? ""}-b`]]));
const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
const schedules = seeds.map((seed) => planFaults({ seed, minutes: 15, targets }));

describe("planFaults()", () => {
  it("gives the same list for the same seed, and another for another", () => {
    expect(planFaults({ seed: 7, minutes: 15, targets })).toEqual(planFaults({ seed: 7, minutes: 15, targets }));
    expect(new Set(schedules.map(describeSchedule)).size).toBe(seeds.length);
  });

  it("ends with heal and drain", () => {
    for (const { faults, healedMs, endMs, seed } of schedules) {
      expect(faults.length, `seed ${seed}`).toBeGreaterThan(0);
      expect(endMs).toBe(15 * 60_000);
      expect(healedMs, `seed ${seed}`).toBeLessThanOrEqual(endMs - 60_000);
      for (const { atMs, healAfterMs } of faults) expect(atMs >= 0 && healAfterMs > 0 && atMs + healAfterMs <= healedMs, `seed ${seed}`).toBe(true);
    }
  });

  it("leaves a calm of more than 30 s after each round", () => {
    for (const { faults, rounds, seed } of schedules) {
      for (const { fromMs } of rounds.slice(1)) {
        const before = faults.filter(({ atMs }) => atMs < fromMs).map(({ atMs, healAfterMs }) => atMs + healAfterMs);
        expect(Math.max(0, ...before), `seed ${seed}`).toBeLessThanOrEqual(fromMs - 45_000);
      }
    }
  });

  it("never breaks one target twice at once, whatever the failpoint", () => {
    const atFailpoints = seeds.map((seed) => planFaults({ seed, minutes: 15, targets: { agent_kill: ["a", "a@after_puback"], agent_freeze: ["a"] } }));
    for (const { faults, seed } of [...schedules, ...atFailpoints]) {
      for (const [index, one] of faults.entries()) {
        for (const other of faults.slice(index + 1)) {
          if (one.target.split("@")[0] === other.target.split("@")[0]) expect(other.atMs, `seed ${seed}`).toBeGreaterThan(one.atMs + one.healAfterMs);
        }
      }
    }
  });

  it("gives a process with a failpoint at least ten seconds to come to it", () => {
    const { faults } = planFaults({ seed: 1, minutes: 60, targets: { broker_kill: ["b@after_202"] } });
    for (const { healAfterMs } of faults) expect(healAfterMs).toBeGreaterThanOrEqual(10_000);
  });

  it("gives every kind its turn before any comes again, in shifting company", () => {
    for (const { rounds, seed } of schedules) {
      const dealt = rounds.flatMap(({ kinds }) => kinds);
      const first = dealt.slice(0, faultKinds.length);
      expect(new Set(first).size, `seed ${seed}`).toBe(first.length);
    }
    const company = new Set(schedules.flatMap(({ rounds }) => rounds.map(({ kinds }) => kinds.toSorted().join(" "))));
    expect(company.size).toBeGreaterThan(200);
    const seen = new Set(planFaults({ seed: 3, minutes: 60, targets }).rounds.flatMap(({ kinds }) => kinds));
    expect(seen.size).toBe(faultKinds.length);
  });

  it("uses only the kinds and targets that there are", () => {
    const only: FaultKind[] = ["agent_kill", "nats_kill"];
    const { faults } = planFaults({ seed: 1, minutes: 30, targets: { agent_kill: ["a"], nats_kill: ["n"], link_cut: [] } });
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(only));
    expect(new Set(faults.map(({ target }) => target))).toEqual(new Set(["a", "n"]));
  });

  it("fits two minutes, and refuses less", () => {
    expect(planFaults({ seed: 1, minutes: 2, targets }).faults.length).toBeGreaterThan(0);
    expect(() => planFaults({ seed: 1, minutes: 1, targets })).toThrow("at least 2");
    expect(() => planFaults({ seed: 1, minutes: Number.NaN, targets })).toThrow("at least 2");
  });

  it("is told with its seed, a line for each fault", () => {
    const schedule = planFaults({ seed: 42, minutes: 5, targets });
    const told = describeSchedule(schedule).split("\n");
    expect(told[0]).toContain("seed 42");
    expect(told).toHaveLength(1 + schedule.faults.length);
  });
});
