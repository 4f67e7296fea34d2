import { describe, expect, it } from "vitest";
import { chooseKeeping } from "./choose-holders.ts";

const agents = (siteId: string, count: number) => Array.from({ length: count }, (_, at) => ({ address: { siteId, agentId: `${siteId}-${at}` } }));
const names = (chosen: ReturnType<typeof agents>) => chosen.map(({ address }) => address.agentId).sort();
const chooseHolders = (digest: string, all: ReturnType<typeof agents>) => [...chooseKeeping(digest, 0, all).keys()];
const digests = Array.from({ length: 200 }, (_, at) => at.toString(16).padStart(32, "0"));

describe("the holders of a revision", () => {
  it("are two of each site, whatever the order in which agents are named", () => {
    const all = [...agents("plant", 10), ...agents("cloud", 10), ...agents("edge", 1)];
    for (const digest of digests) {
      const chosen = chooseHolders(digest, all);
      expect(chosen.map(({ address }) => address.siteId).sort()).toEqual(["cloud", "cloud", "edge", "plant", "plant"]);
      expect(names(chooseHolders(digest, all.toReversed()))).toEqual(names(chosen));
    }
  });

  it("stay when another agent goes, and one at most gives way when one comes", () => {
    const all = agents("plant", 10);
    for (const digest of digests) {
      const before = names(chooseHolders(digest, all));
      const bystander = all.find(({ address }) => !before.includes(address.agentId));
      expect(names(chooseHolders(digest, all.filter((agent) => agent !== bystander)))).toEqual(before);
      const after = names(chooseHolders(digest, [...all, { address: { siteId: "plant", agentId: "newcomer" } }]));
      expect(after.filter((name) => !before.includes(name)).every((name) => name === "newcomer")).toBe(true);
    }
  });

  it("are spread over the agents of a site", () => {
    const counts = new Map<string, number>();
    for (const digest of digests) for (const agentId of names(chooseHolders(digest, agents("plant", 10)))) counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
    expect(Math.min(...counts.values())).toBeGreaterThan(15);
    expect(counts.size).toBe(10);
  });
});

describe("a function's minimum of begun instances", () => {
  const minimums = (minInstances: number, all: ReturnType<typeof agents>, digest = digests[0] ?? "") => [...chooseKeeping(digest, minInstances, all).values()].map(({ minimum }) => minimum).filter((minimum) => minimum > 0);
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

  it("is dealt out over the fleet, and not kept by each agent", () => {
    const all = [...agents("plant", 5), ...agents("cloud", 5)];
    for (const minInstances of [1, 3, 10, 14, 100]) {
      const dealt = minimums(minInstances, all);
      expect(sum(dealt)).toBe(minInstances);
      expect(Math.max(...dealt) - Math.min(...dealt)).toBeLessThanOrEqual(1);
      expect(dealt).toHaveLength(Math.min(minInstances, 10));
    }
  });

  it("is spread over sites first", () => {
    const all = [...agents("plant", 5), ...agents("cloud", 5), ...agents("edge", 1)];
    for (const digest of digests) {
      const keeping = chooseKeeping(digest, 3, all);
      const sites = [...keeping].filter(([, { minimum }]) => minimum > 0).map(([{ address }]) => address.siteId);
      expect(sites.sort()).toEqual(["cloud", "edge", "plant"]);
    }
  });

  it("moves to others when an agent goes, and no more than was its own", () => {
    const all = agents("plant", 6);
    for (const digest of digests) {
      const before = chooseKeeping(digest, 4, all);
      const [gone] = [...before].find(([, { minimum }]) => minimum > 0) ?? [];
      const after = chooseKeeping(digest, 4, all.filter((agent) => agent !== gone));
      const moved = [...after].filter(([agent, { minimum }]) => minimum > (before.get(agent)?.minimum ?? 0));
      expect(moved).toHaveLength(1);
    }
  });

  it("leaves held ones where they are", () => {
    for (const digest of digests) {
      const held = (minInstances: number) => [...chooseKeeping(digest, minInstances, agents("plant", 6))].filter(([, keeping]) => keeping.held > 0).map(([{ address }]) => address.agentId).sort();
      expect(held(5)).toEqual(held(0));
    }
  });

  it("waits where there is nobody", () => {
    expect(minimums(3, [])).toEqual([]);
  });
});
