import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import { shareIn, TestFleet } from "./testing/test-fleet.ts";

describe("a heartbeat that states more than can be", () => {
  it("is taken at what can be", () => {
    const fleet = new TestFleet();
    const huge = 1e15;
    const revision = testRevision();
    fleet.ready("a1", {
      heartbeat: {
        instancesMax: huge,
        instancesFree: huge,
        memoryBytes: huge,
        memoryFreeBytes: huge,
        running: huge,
        idle: huge,
        held: huge,
        revisions: [shareIn(revision, { freeSlots: huge, running: huge, instances: 2, held: huge, starting: huge })],
      },
    });
    const agent = fleet.agent("a1");
    expect(agent.capacity).toMatchObject({ instancesMax: 10_000, instancesFree: 10_000, memoryBytes: 2 ** 46, memoryFreeBytes: 2 ** 46, running: 1e7, idle: 10_000, held: 10_000 });
    expect(agent.shares.get(revision.digest)?.capacity).toMatchObject({ instances: 2, freeSlots: 2_000, running: 1e7, held: 10_000, starting: 10_000 });
  });

  it("has no more free than it has", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { heartbeat: { instancesMax: 2, instancesFree: 9, memoryBytes: 10, memoryFreeBytes: 20 } });
    expect(fleet.agent("a1").capacity).toMatchObject({ instancesFree: 2, memoryFreeBytes: 10 });
  });
});
