import { agentViewSchema, siteViewSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import { shareIn, TestFleet } from "./testing/test-fleet.ts";
import { agentView, siteViews } from "./views.ts";

const nobodys = () => undefined;

describe("the view of an agent", () => {
  it("shows what it has, of revisions that the viewer may see only", () => {
    const fleet = new TestFleet();
    const [mine, theirs] = [testRevision(), testRevision({ tenantId: "other" })];
    fleet.ready("a1", { labels: { rack: "7" }, heartbeat: { running: 1, revisions: [shareIn(mine, { running: 1, instances: 1 }), shareIn(theirs)] } });
    const view = agentView(fleet.agent("a1"), (digest) => (digest === mine.digest ? mine.revisionId : undefined));
    expect(agentViewSchema.parse(view)).toMatchObject({
      agentId: "a1",
      siteId: "plant",
      state: "ready",
      cordoned: false,
      labels: { rack: "7" },
      capacity: { running: 1, instancesFree: 32 },
      functions: [{ revisionId: "resize-r1", running: 1, instances: 1, held: 0, freeSlots: 0 }],
    });
  });

  it("tells of its disk, where the agent can see it", () => {
    const disk = { totalBytes: 100, freeBytes: 1, imagesBytes: 50, pressure: true };
    const fleet = new TestFleet();
    fleet.ready("a1", { heartbeat: { disk } });
    fleet.ready("a2");
    expect(agentViewSchema.parse(agentView(fleet.agent("a1"), nobodys)).capacity.disk).toEqual(disk);
    expect(agentView(fleet.agent("a2"), nobodys).capacity).not.toHaveProperty("disk");
  });

  it("is whole for one that was never heard", () => {
    const fleet = new TestFleet();
    fleet.joined.join("a1", { cordoned: true });
    expect(agentViewSchema.parse(agentView(fleet.agent("a1"), nobodys))).toMatchObject({ state: "lost", cordoned: true, functions: [] });
  });
});

describe("the view of a site", () => {
  it("is the sum of its agents, of those that are up", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { heartbeat: { running: 2, memoryBytes: 100, memoryFreeBytes: 40 } });
    fleet.ready("a2", { cordoned: true, heartbeat: { running: 1, memoryBytes: 100, memoryFreeBytes: 60 } });
    fleet.joined.join("a3");
    fleet.joined.setSite({ siteId: "cloud", regions: ["eu"], tenants: ["acme"] });
    const views = siteViews(fleet.joined.sites(), fleet.roster.agents());
    expect(views.map((view) => siteViewSchema.parse(view))).toEqual([
      { siteId: "cloud", regions: ["eu"], tenants: ["acme"], agents: 0, ready: 0, running: 0, memoryBytes: 0, memoryFreeBytes: 0 },
      { siteId: "plant", regions: [], agents: 3, ready: 1, running: 3, memoryBytes: 200, memoryFreeBytes: 100 },
    ]);
  });

  it("does not count strangers", () => {
    const fleet = new TestFleet();
    fleet.joined.setSite({ siteId: "plant", regions: [] });
    fleet.heartbeat("stranger");
    expect(siteViews(fleet.joined.sites(), fleet.roster.agents())).toMatchObject([{ siteId: "plant", agents: 0 }]);
  });
});
