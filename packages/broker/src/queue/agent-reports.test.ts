import { type AgentAddress, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { settled, startedScene } from "./testing/queue-scene.ts";

describe("the word of an agent", () => {
  it("of an older attempt, or from an agent that does not have it, changes nothing, and is settled", async () => {
    const scene = await startedScene({ room: 10 });
    const id = await scene.accept();
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" }, { from: { siteId: "plant", agentId: "a9" } as AgentAddress });
    expect(await scene.entry(id)).toMatchObject({ attempt: 1, isSent: true });
    await scene.ends(id, { outcome: "failed" });
    await scene.ends(id, { outcome: "succeeded" });
    expect(await scene.entry(id)).toMatchObject({ attempt: 2, past: ["failed"] });
    await scene.hasRoom("a1", 10);
    await scene.advance(10_000);
    expect(scene.last(id).order.attempt).toBe(2);
    await scene.ends(id, { outcome: "succeeded" }, { attempt: 1 });
    expect(await scene.entry(id)).toMatchObject({ attempt: 2, isSent: true, past: ["failed"] });
    expect(scene.settledAttempts).toEqual([`a9 ${id} 1`, `a1 ${id} 1`, `a1 ${id} 1`, `a1 ${id} 1`]);
  });

  it("is not settled while the bus is away, and is once it is told again", async () => {
    const scene = await startedScene();
    const id = await scene.accept();
    await scene.begins(id);
    await scene.advance(1_000);
    scene.store.queue.failing = new LongshoreError("bus_down", "Cannot write: the bus is away");
    await scene.ends(id, { outcome: "succeeded" });
    expect(scene.settledAttempts).toEqual([]);
    scene.store.queue.failing = undefined;
    await scene.ends(id, { outcome: "succeeded" });
    expect(scene.settledAttempts).toEqual([`a1 ${id} 1`]);
    expect(await scene.record(id)).toMatchObject({ outcome: "succeeded" });
  });

  it("that it has it not changes nothing where it comes after that was taken back", async () => {
    const scene = await startedScene();
    const id = await scene.accept();
    const { promise, resolve } = Promise.withResolvers<void>();
    scene.answering = promise;
    scene.missing.add(id);
    await scene.advance(6_000, 1_000);
    expect(scene.asks).toMatchObject([{ question: { ask: "confirm" } }]);
    scene.last(id).refuse(new LongshoreError("instance_start_failed", "Cannot start", { phase: "startup" }));
    await settled();
    resolve();
    await scene.hasRoom("a1", 1);
    await scene.advance(2_000);
    expect(scene.exchanges(id)).toHaveLength(2);
  });
});
