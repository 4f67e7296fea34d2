import { describe, expect, it } from "vitest";
import { type CycleEvent, idleCycle, mostSettlingMs, nextStep, quietMs } from "./cycle.ts";

/** Plays saves and builds of a length against the cycle; gives when each build began. */
function play(saves: readonly number[], buildMs: number): { began: number[]; most: number } {
  const began: number[] = [];
  let [cycle, lookAtMs, builtAtMs, underWay, most] = [idleCycle, Infinity, Infinity, 0, 0];
  const take = (event: CycleEvent) => {
    const step = nextStep(cycle, event);
    cycle = step.cycle;
    lookAtMs = step.lookAtMs ?? Infinity;
    if (!step.build) return;
    began.push(event.atMs);
    builtAtMs = event.atMs + buildMs;
    most = Math.max(most, (underWay += 1));
  };
  for (let atMs = 0; atMs < 20_000; atMs += 1) {
    for (const save of saves) if (save === atMs) take({ kind: "saved", atMs });
    if (atMs >= lookAtMs) take({ kind: "time", atMs });
    if (atMs < builtAtMs) continue;
    builtAtMs = Infinity;
    underWay -= 1;
    take({ kind: "built", atMs });
  }
  return { began, most };
}

describe("nextStep()", () => {
  it("builds once what was saved in one go", () => {
    expect(play([0, 10, 60], 500).began).toEqual([60 + quietMs]);
  });

  it("does not wait for an end of saving that never comes", () => {
    const saves = Array.from({ length: 300 }, (_, nth) => nth * 10);
    expect(play(saves, 5_000).began).toEqual([mostSettlingMs, mostSettlingMs + 5_000]);
  });

  it("builds once more what was saved during a build, at once where that is long ago", () => {
    expect(play([0, 300, 400], 1_000).began).toEqual([100, 1_100]);
    expect(play([0, 1_090], 1_000).began).toEqual([100, 1_190]);
    expect(play([0], 1_000).began).toEqual([100]);
  });

  it("never builds two at once, and leaves no save without a build that began after it", () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let walk = 0; walk < 60; walk += 1) {
      const saves = Array.from({ length: 1 + random(30) }, () => random(8_000)).toSorted((a, b) => a - b);
      const { began, most } = play(saves, 1 + random(2_000));
      expect(most, `walk ${walk}`).toBe(1);
      expect(began.at(-1), `walk ${walk}`).toBeGreaterThanOrEqual(saves.at(-1) ?? 0);
    }
  });
});
