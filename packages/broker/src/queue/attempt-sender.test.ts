import { LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { settled, startedScene } from "./testing/queue-scene.ts";

describe("an attempt at an accepted invocation", () => {
  it("is claimed before it is sent, and ended by what its agent says became of it, which is settled then", async () => {
    const scene = await startedScene();
    const id = await scene.accept();
    const { order, body } = scene.last(id);
    expect(order).toMatchObject({ attempt: 1, more: false, accepted: { acceptedAt: scene.fleet.clock.date().toISOString() }, remainingMs: 30_000 });
    expect(Buffer.from(body).toString()).toBe("payload");
    expect(await scene.entry(id)).toMatchObject({ attempt: 1, isSent: true });
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    expect(await scene.record(id)).toEqual({ outcome: "succeeded", body: "answer" });
    expect(scene.settledAttempts).toEqual([`a1 ${id} 1`]);
    expect(scene.records).toMatchObject([{ invocationId: id, agentId: "a1", attempt: 1 }]);
  });

  it("goes to another agent when one refuses it, and is tried again when nobody takes it", async () => {
    const scene = await startedScene();
    scene.agent("a2");
    const id = await scene.accept();
    const [first] = scene.exchanges(id);
    first?.refuse(new LongshoreError("agent_busy", "Cannot run: no free slot", { phase: "admission" }));
    await settled();
    const [, second] = scene.exchanges(id);
    expect(second?.agent.agentId).not.toBe(first?.agent.agentId);
    second?.refuse(new LongshoreError("instance_start_failed", "Cannot start", { phase: "startup" }));
    await settled();
    expect(await scene.entry(id)).toMatchObject({ attempt: 3, isSent: false, past: [] });
    await scene.hasRoom("a1", 1);
    expect(scene.exchanges(id)).toHaveLength(2);
    await scene.advance(2_000);
    expect(scene.exchanges(id)).toHaveLength(3);
    expect(scene.last(id).order.attempt).toBe(3);
  });

  it("is sent with its revision where the agent turns out not to know it", async () => {
    const scene = await startedScene();
    const revision = scene.deploy();
    scene.fleet.heartbeat("a1", { instancesFree: 1, revisions: [{ revisionDigest: revision.digest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent: true }] });
    const id = await scene.accept();
    expect(scene.last(id).order.revision).toBeUndefined();
    scene.last(id).refuse(new LongshoreError("revision_unknown", "Cannot run: unknown revision", { phase: "admission" }));
    await settled();
    expect(scene.last(id).order.revision).toEqual(revision);
    await scene.begins(id);
    expect(await scene.entry(id)).toMatchObject({ attempt: 1, isSent: true });
  });
});
