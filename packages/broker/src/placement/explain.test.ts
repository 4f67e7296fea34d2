import type { FunctionDocument, SiteId, Where } from "@longshore/protocol";
import { LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import { TestFleet } from "../roster/testing/test-fleet.ts";

function explained(fleet: TestFleet, document: Partial<FunctionDocument> = {}, where: Where = {}): { reason: string; message: string; retryAfterMs: number | undefined } {
  const choice = fleet.roster.placement.choose(testRevision({ document }), where);
  if (!(choice instanceof LongshoreError)) throw new Error("an agent was found");
  expect(choice.phase).toBe("placement");
  return choice;
}

function fleetOf(): TestFleet {
  const fleet = new TestFleet();
  fleet.joined.setSite({ siteId: "plant", regions: ["eu"] });
  fleet.joined.setSite({ siteId: "secret", regions: ["us"], tenants: ["other"] });
  fleet.ready("p1", { site: "plant", labels: { gpu: "no" } });
  fleet.ready("s1", { site: "secret", labels: { gpu: "yes" } });
  return fleet;
}

describe("why no agent may run a function", () => {
  it("is said when nobody has joined", () => {
    expect(explained(new TestFleet())).toMatchObject({ reason: "no_agent_eligible", message: 'Cannot place "resize": no agent has joined the fleet' });
  });

  it.each<[string, Partial<FunctionDocument>, Where, string]>([
    ["the agent", {}, { agent: "p9" }, 'there is no agent "p9"'],
    ["the site", {}, { site: "moon" as SiteId }, 'no agent is at site "moon" (there are "plant")'],
    ["a where outside the function's sites", { placement: { sites: ["plant"] } }, { site: "moon" as SiteId }, "is not among the function's sites"],
    ["the tenant", {}, { agent: "s1" }, "no site that fits may be used by this tenant"],
    ["the residency", { placement: { residency: ["mars"] } }, {}, 'no site that fits is in the regions "mars"'],
    ["a label", {}, { labels: { gpu: "yes" } }, 'has the labels "gpu=yes"'],
    ["a label of which two values are asked", { placement: { require: { gpu: "no" } } }, { labels: { gpu: "yes" } }, "two values are asked"],
  ])("names %s that excluded them", (_, document, where, message) => {
    const error = explained(fleetOf(), document, where);
    expect(error).toMatchObject({ reason: "no_agent_eligible", retryAfterMs: undefined });
    expect(error.message).toContain(message);
  });

  it("names the architecture, and which there are", () => {
    const fleet = fleetOf();
    const choice = fleet.roster.placement.choose(testRevision({ image: { architecture: "arm64" } }), {});
    expect(choice).toMatchObject({ reason: "wrong_architecture", message: 'Cannot place "resize": the image is for "arm64", and agents that fit are "amd64"' });
  });

  it("names the container runtime, and which there are", () => {
    const fleet = fleetOf();
    fleet.ready("p2", { site: "plant", introduction: { runtimes: ["runc", "kata"] } });
    expect(explained(fleet, { runtime: "runsc" })).toMatchObject({
      reason: "no_agent_eligible",
      message: 'Cannot place "resize": no agent that fits has the container runtime "runsc" (there are "kata", "runc")',
    });
    const kata = testRevision({ document: { runtime: "kata" } });
    expect(fleet.roster.placement.choose(kata, {})).toMatchObject({ address: { agentId: "p2" } });
    fleet.introduction("p2", { runtimes: ["runc", "kata"], protocolVersion: 1 }); // It would run it under another.
    expect(fleet.roster.placement.choose(kata, {})).toMatchObject({ reason: "no_agent_eligible" });
  });

  it("names no site that the tenant may not use", () => {
    const fleet = fleetOf();
    for (const where of [{ site: "moon" as SiteId }, { labels: { rack: "1" } }, {}]) {
      fleet.joined.join("p1", { site: "plant", cordoned: true });
      expect(explained(fleet, {}, where).message).not.toContain("secret");
    }
  });

  it.each([
    ["out of reach", (fleet: TestFleet) => fleet.clock.advance(20_000), "site_disconnected", 5_000],
    ["draining", (fleet: TestFleet) => fleet.heartbeat("p1", { state: "draining" }), "agent_draining", 5_000],
    ["unhealthy", (fleet: TestFleet) => fleet.heartbeat("p1", { state: "unhealthy", detail: "its engine hangs" }), "engine_unavailable", 5_000],
    ["cordoned", (fleet: TestFleet) => fleet.joined.join("p1", { cordoned: true }), "no_agent_eligible", undefined],
    ["refused", (fleet: TestFleet) => fleet.introduction("p1", { protocolVersion: 0 }), "no_agent_eligible", undefined],
  ])("is told apart when all that fit are %s", (_, happen, reason, retryAfterMs) => {
    const fleet = fleetOf();
    happen(fleet);
    expect(explained(fleet)).toMatchObject({ reason, retryAfterMs });
  });
});
