import { describe, expect, it } from "vitest";
import { chooseHolders } from "./choose-holders.ts";

const agents = (siteId: string, count: number) => Array.from({ length: count }, (_, at) => ({ address: { siteId, agentId: `${siteId}-${at}` } }));
const names = (chosen: ReturnType<typeof agents>) => chosen.map(({ address }) => address.agentId).sort();
const digests = Array.from({ length: 200 }, (_, at) => at.toString(16).padStart(32, "0"));

describe("the holders of a revision", () => {
  it("are two of each site, whatever the order in which agents are named", () => {
    const all = [...agents("plant", 10), ...agents("cloud", 10), ...agents("edge", 1)];
    for (const digest of digests) {
      const chosen = chooseHolders(digest, 0, all);
      expect(chosen.map(({ address }) => address.siteId).sort()).toEqual(["cloud", "cloud", "edge", "plant", "plant"]);
      expect(names(chooseHolders(digest, 0, all.toReversed()))).toEqual(names(chosen));
    }
  });

  it("are all where a minimum of instances is asked", () => {
    expect(chooseHolders("0", 1, agents("plant", 7))).toHaveLength(7);
  });

  it("stay when another agent goes, and one at most gives way when one comes", () => {
    const all = agents("plant", 10);
    for (const digest of digests) {
      const before = names(chooseHolders(digest, 0, all));
      const bystander = all.find(({ address }) => !before.includes(address.agentId));
      expect(names(chooseHolders(digest, 0, all.filter((agent) => agent !== bystander)))).toEqual(before);
      const after = names(chooseHolders(digest, 0, [...all, { address: { siteId: "plant", agentId: "newcomer" } }]));
      expect(after.filter((name) => !before.includes(name)).every((name) => name === "newcomer")).toBe(true);
    }
  });

  it("are spread over the agents of a site", () => {
    const counts = new Map<string, number>();
    for (const digest of digests) for (const agentId of names(chooseHolders(digest, 0, agents("plant", 10)))) counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
    expect(Math.min(...counts.values())).toBeGreaterThan(15);
    expect(counts.size).toBe(10);
  });
});
