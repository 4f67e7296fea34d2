import { type AgentAddress, type FunctionName, LongshoreError } from "@longshore/protocol";
import { describe, expect, it, vi } from "vitest";
import { partitionOf } from "../bus/queue-subjects.ts";
import { ownerOf } from "./owner-of.ts";
import { acme, QueueScene, settled, startedScene } from "./testing/queue-scene.ts";

/** A broker that takes the function's partition from the first one, by its name. */
function heir(): string {
  const partition = partitionOf({ tenantId: acme, functionName: "resize" as FunctionName });
  return ["b-2", "b-3", "b-4", "b-5"].find((id) => ownerOf(partition, ["b-1", id]) === id) ?? "";
}

/** Brokers know of each other as long as time passes for both. */
async function pass(ms: number, ...scenes: readonly QueueScene[]): Promise<void> {
  for (let passedMs = 0; passedMs < ms; passedMs += 500) for (const scene of scenes) await scene.advance(500);
}

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

  it("of a later attempt is taken by a broker that sent an earlier one, and has not heard of what came since", async () => {
    const first = await startedScene({ room: 10 });
    const id = await first.accept();
    await first.begins(id);
    const second = new QueueScene(heir(), first.store);
    second.deploy();
    second.agent("a1", 10);
    await second.queue.start();
    await pass(1_000, first, second);
    await second.endsOf(first.last(id), { outcome: "failed" });
    await pass(12_000, first, second);
    expect(await first.entry(id)).toMatchObject({ attempt: 2, isSent: true, past: ["failed"] });
    await first.endsOf(second.last(id), { outcome: "succeeded" });
    expect(await first.record(id)).toMatchObject({ outcome: "succeeded" });
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

  it("is stored once, though it is told again while that is under way", async () => {
    const scene = await startedScene();
    const id = await scene.accept();
    await scene.begins(id);
    const finishes = vi.spyOn(scene.store.queue, "finish");
    await Promise.all([scene.ends(id, { outcome: "succeeded" }), scene.ends(id, { outcome: "succeeded" }), scene.ends(id, { outcome: "succeeded" })]);
    expect(finishes).toHaveBeenCalledTimes(1);
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
