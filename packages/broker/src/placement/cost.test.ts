import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import { shareIn, TestFleet } from "../roster/testing/test-fleet.ts";
import { seededRandom } from "../testing/random.ts";
import { choosePlacement } from "./choose-placement.ts";
import { IndexedSet } from "./indexed-set.ts";

/** How often anything looks at any agent's capacity while an action runs: each look at an agent reads it. */
function looks(agents: Iterable<AgentEntry>, action: () => void): number {
  let count = 0;
  const restore: (() => void)[] = [];
  for (const agent of agents) {
    let { capacity } = agent;
    Object.defineProperty(agent, "capacity", { configurable: true, enumerable: true, get: () => { count += 1; return capacity; }, set: (next: AgentEntry["capacity"]) => { capacity = next; } });
    restore.push(() => Object.defineProperty(agent, "capacity", { configurable: true, enumerable: true, writable: true, value: capacity }));
  }
  action();
  for (const each of restore) each();
  return count;
}

function fleetOf(size: number): { fleet: TestFleet; revision: ReturnType<typeof testRevision> } {
  const fleet = new TestFleet(seededRandom(size));
  const revision = testRevision({ document: { contract: "stdio" } });
  for (let at = 0; at < size; at += 1) fleet.ready(`a${at}`, { heartbeat: { revisions: at % 2 === 0 ? [shareIn(revision, { instances: 1, freeSlots: 1 })] : [] } });
  fleet.roster.placement.choose(revision, {}); // Makes the index and the class: once per revision.
  return { fleet, revision };
}

describe("the cost of placement", () => {
  it("does not grow with the fleet: a hundred choices, heartbeats and ends among 10,000 agents", () => {
    const cost = (size: number) => {
      const { fleet, revision } = fleetOf(size);
      const { placement } = fleet.roster;
      return looks(fleet.roster.agents(), () => {
        for (let at = 0; at < 100; at += 1) {
          const choice = placement.choose(revision, {});
          if (typeof choice !== "object" || !("address" in choice)) throw new Error("an agent is free");
          placement.took(choice, revision);
          fleet.heartbeat(`a${at}`, { running: 1, revisions: [shareIn(revision)] });
          placement.released(choice, revision, false);
        }
      });
    };
    const [small, large] = [cost(200), cost(10_000)];
    expect(large).toBeLessThanOrEqual(small * 1.5);
    expect(large).toBeLessThan(100 * 200);
  });

  it("is bounded when nobody can", () => {
    const { fleet, revision } = fleetOf(10_000);
    const full = testRevision({ document: { name: "large", contract: "stdio", memoryBytes: 2 ** 39 } });
    fleet.roster.placement.choose(full, {});
    const count = looks(fleet.roster.agents(), () => {
      expect(fleet.roster.placement.choose(full, {})).toBe("full");
    });
    expect(count).toBeLessThan(1_000);
    expect(revision.digest).not.toBe(full.digest);
  });
});

describe("an indexed set", () => {
  it("holds what a set would, with a member at each position (seeded walk)", () => {
    const random = seededRandom(7);
    const [indexed, plain] = [new IndexedSet<number>(), new Set<number>()];
    for (let step = 0; step < 1_000; step += 1) {
      const member = Math.floor(random() * 50);
      if (random() < 0.5) {
        indexed.add(member);
        plain.add(member);
      } else {
        indexed.delete(member);
        plain.delete(member);
      }
      expect(indexed.size).toBe(plain.size);
      expect(indexed.has(member)).toBe(plain.has(member));
    }
    expect([...indexed].sort()).toEqual([...plain].sort());
    expect(Array.from({ length: indexed.size }, (_, at) => indexed.at(at))).toEqual([...indexed]);
  });
});

describe("choosePlacement()", () => {
  it("takes nobody where nobody can", () => {
    expect(choosePlacement([], () => 0)).toBeUndefined();
    expect(choosePlacement([{ tier: 0, load: 0 }], () => 0)).toBeUndefined();
  });

  it("never takes a lower tier, and never the more loaded of all", () => {
    const random = seededRandom(3);
    const candidates = [{ tier: 2, load: 0 }, { tier: 4, load: 5 }, { tier: 4, load: 1 }, { tier: 4, load: 9 }, { tier: 3, load: 0 }];
    const chosen = new Set<number>();
    for (let at = 0; at < 200; at += 1) chosen.add(candidates.indexOf(choosePlacement(candidates, random) ?? candidates[0]!));
    expect([...chosen].sort()).toEqual([1, 2]);
  });
});
