import { type InvocationId, LongshoreError } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { acme, type QueueScene, settled, startedScene } from "./testing/queue-scene.ts";

/** An agent says that an attempt ended with a long answer of that length. */
async function tell(scene: QueueScene, id: InvocationId, bodyBytes: number, outcome: "succeeded" | "failed" = "succeeded"): Promise<void> {
  const { agent, order } = scene.last(id);
  const orphan = { invocationId: id, attempt: order.attempt, tenantId: acme, functionName: "resize", revisionId: "resize-r1", acceptedAt: order.accepted?.acceptedAt ?? "", payloadBytes: 7 };
  scene.queue.outcome(agent, { kind: "answer", head: { complete: true, headers: [], start: "warm", result: { outcome }, orphan, bodyBytes, bodyKept: true, bodyFollows: true }, body: new Uint8Array(0) });
  await settled();
}

async function begun() {
  const scene = await startedScene();
  const id = await scene.accept();
  await scene.begins(id);
  return { scene, id };
}

async function readAnswer(scene: QueueScene, id: InvocationId): Promise<Buffer> {
  const found = await scene.queue.find(acme, id);
  if (found?.state !== "finished") throw new Error("it has no record");
  const body = scene.queue.answerOf(acme, found);
  if (body instanceof Uint8Array) return Buffer.from(body);
  const parts: Uint8Array[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts);
}

const answersAsked = (scene: QueueScene) => scene.asks.filter(({ question }) => question.ask === "answer");

describe("an answer that is too long to be told with its outcome", () => {
  it("is fetched and stored before its record, which settles it, and read from there", async () => {
    const { scene, id } = await begun();
    const bytes = randomBytes(300_000);
    scene.longAnswer = () => {
      expect(scene.settledAttempts).toEqual([]);
      return [bytes.subarray(0, 100_000), bytes.subarray(100_000)];
    };
    await tell(scene, id, bytes.length);
    expect(await scene.queue.find(acme, id)).toMatchObject({ record: { resultBytes: bytes.length, resultKept: true } });
    expect((await readAnswer(scene, id)).equals(bytes)).toBe(true);
    expect(scene.settledAttempts).toEqual([`a1 ${id} 1`]);
  });

  it("is not fetched twice at once, nor for an attempt that another follows", async () => {
    const { scene, id } = await begun();
    const { promise, resolve } = Promise.withResolvers<void>();
    scene.answering = promise;
    scene.longAnswer = () => [randomBytes(300_000)];
    await tell(scene, id, 300_000);
    await tell(scene, id, 300_000);
    expect(answersAsked(scene)).toHaveLength(1);
    resolve();
    await settled();
    expect(scene.store.bodies.stored.size).toBe(1);
    const other = await begun();
    await tell(other.scene, other.id, 300_000, "failed");
    expect([answersAsked(other.scene).length, other.scene.store.bodies.stored.size]).toEqual([0, 0]);
  });

  it("is told again where it breaks off, and nothing of it stays", async () => {
    const { scene, id } = await begun();
    scene.longAnswer = function* () {
      yield randomBytes(100_000);
      throw new LongshoreError("agent_lost", "Cannot go on asking");
    };
    await tell(scene, id, 300_000);
    expect([scene.store.bodies.stored.size, scene.settledAttempts]).toEqual([0, []]);
    expect(await scene.queue.find(acme, id)).toMatchObject({ state: "running" });
    scene.longAnswer = () => [randomBytes(300_000)];
    await tell(scene, id, 300_000);
    expect(scene.settledAttempts).toHaveLength(1);
  });

  it.each([
    ["its agent has no more", () => {
      throw new LongshoreError("body_lost", "Cannot give it", { phase: "execution" });
    }],
    ["is not as long as its agent said", () => [randomBytes(299_999)]],
  ])("that %s is not kept, and its record says so", async (_, longAnswer) => {
    const { scene, id } = await begun();
    scene.longAnswer = longAnswer;
    await tell(scene, id, 300_000);
    expect(await scene.queue.find(acme, id)).toMatchObject({ record: { result: { outcome: "succeeded" }, resultBytes: 300_000, resultKept: false } });
    expect([scene.store.bodies.stored.size, scene.settledAttempts.length]).toEqual([0, 1]);
  });
});
