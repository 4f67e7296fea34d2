import { describe, expect, it } from "vitest";
import { agentView } from "../testing/views.ts";
import { type FleetQuery, rowsOf } from "./fleet-rows.ts";
import { memoryShares, totalsOf } from "./totals.ts";

const all: FleetQuery = { text: "", state: undefined, site: undefined, folded: new Set() };
const agents = [
  agentView("c1", "cloud", { running: 4 }),
  agentView("c2", "cloud", { state: "lost", running: 9 }),
  agentView("p1", "plant", { labels: { gpu: "true" }, functions: [{ revisionId: "resize-r3", running: 0, instances: 1, held: 0, freeSlots: 1 }] }),
];
const shown = (query: Partial<FleetQuery>) => rowsOf(agents, { ...all, ...query }).map((row) => (row.kind === "site" ? `${row.siteId}:${row.totals.hosts}` : row.agent.agentId));

describe("rowsOf()", () => {
  it("puts each site before its hosts, with what they have together", () => {
    expect(shown({})).toEqual(["cloud:2", "c1", "c2", "plant:1", "p1"]);
  });

  it("leaves out what is not wanted, sites without hosts with it", () => {
    expect(shown({ state: "lost" })).toEqual(["cloud:1", "c2"]);
    expect(shown({ site: "plant" })).toEqual(["plant:1", "p1"]);
    expect(shown({ text: "GPU=true plant" })).toEqual(["plant:1", "p1"]);
    expect(shown({ text: "resize" })).toEqual(["plant:1", "p1"]);
    expect(shown({ text: "cloud nothing" })).toEqual([]);
  });

  it("folds sites", () => {
    expect(shown({ folded: new Set(["cloud"]) })).toEqual(["cloud:2", "plant:1", "p1"]);
  });

  it("takes 10,000 hosts within a frame or few", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => agentView(`a${at}`, `s${Math.floor(at / 100)}`));
    expect(rowsOf(many, all)).toHaveLength(10_100);
  });
});

describe("totalsOf()", () => {
  it("counts hosts by state, and adds up only what is heard", () => {
    expect(totalsOf(agents)).toMatchObject({ hosts: 3, states: { ready: 2, lost: 1 }, running: 4, busy: 0, idle: 4, held: 2, room: 20 });
  });

  it("gives shares of memory that stay between 0 and 1", () => {
    expect([memoryShares({ memoryBytes: 0, memoryFreeBytes: 0 }).used, memoryShares({ memoryBytes: 4, memoryFreeBytes: 1 }).used, memoryShares({ memoryBytes: 4, memoryFreeBytes: 9 }).used]).toEqual([0, 0.75, 0]);
  });
});
