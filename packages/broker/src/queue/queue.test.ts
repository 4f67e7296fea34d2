import { type InvocationId, LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { acme, QueueScene, settled } from "./testing/queue-scene.ts";

async function ready(scene = new QueueScene()): Promise<QueueScene> {
  scene.deploy();
  scene.agent("a1");
  await scene.queue.start();
  return scene;
}

const outcomeOf = async (scene: QueueScene, id: Parameters<QueueScene["begins"]>[0]) => {
  const found = await scene.queue.find(acme, id);
  return found?.state === "finished" ? found.record.result.outcome : found?.state;
};

describe("the queue", () => {
  it("shows an accepted invocation from its submission to its record", async () => {
    const scene = await ready();
    const submission = scene.submission({ notBeforeMs: scene.nowMs + 5_000, maxAgeMs: 60_000 });
    const { isNew, view } = await scene.queue.accept(submission);
    expect(isNew).toBe(true);
    expect(view).toMatchObject({ state: "waiting", functionName: "resize", attempt: 1, notBefore: new Date(scene.nowMs + 5_000).toISOString(), expiresAt: new Date(scene.nowMs + 65_000).toISOString() });
    await scene.advance(5_000);
    const { invocationId } = submission;
    expect(await scene.queue.find(acme, invocationId)).toMatchObject({ state: "running", agentId: "a1", siteId: "plant" });
    await scene.begins(invocationId);
    await scene.ends(invocationId, { outcome: "succeeded" });
    expect(await scene.queue.find(acme, invocationId)).toMatchObject({ state: "finished", record: { attempt: 1, agentId: "a1", result: { outcome: "succeeded" } } });
    expect(scene.asks).toMatchObject([{ agentId: "a1", question: { ask: "settle", attempts: [{ invocationId, attempt: 1 }] } }]);
  });

  it("takes the same submission again for the first one, before and after its end, and refuses another under its id", async () => {
    const scene = await ready();
    const submission = scene.submission();
    await scene.queue.accept(submission);
    expect(await scene.queue.accept(submission)).toMatchObject({ isNew: false, view: { invocationId: submission.invocationId } });
    await settled();
    await scene.begins(submission.invocationId);
    await scene.ends(submission.invocationId, { outcome: "succeeded" });
    expect(await scene.queue.accept(submission)).toMatchObject({ isNew: false, view: { state: "finished", record: { result: { outcome: "succeeded" } } } });
    expect(scene.exchanges(submission.invocationId)).toHaveLength(1);
    await expect(scene.queue.accept({ ...submission, request: { ...submission.request, target: "/another" } })).rejects.toMatchObject({ reason: "invocation_exists" });
    await expect(scene.queue.accept({ ...submission, body: Buffer.from("another") })).rejects.toMatchObject({ reason: "invocation_exists", field: "invocationId" });
  });

  it("refuses what it cannot take, and nothing of it is kept", async () => {
    const scene = await ready();
    const unknown = scene.submission({ functionName: "shrink" as never });
    await expect(scene.queue.accept(unknown)).rejects.toMatchObject({ reason: "function_not_found" });
    scene.refusal = new LongshoreError("store_full", "Cannot accept");
    const refused = scene.submission();
    await expect(scene.queue.accept(refused)).rejects.toMatchObject({ reason: "store_full" });
    for (const { invocationId } of [unknown, refused]) expect(await scene.queue.find(acme, invocationId)).toBeUndefined();
    await scene.queue.close();
    await expect(scene.queue.accept(scene.submission())).rejects.toMatchObject({ reason: "broker_draining" });
  });

  it("has no more of a function with agents at once than it says, over any number of brokers, and goes on as they end", async () => {
    const scene = new QueueScene();
    scene.deploy({ document: { maxQueuedAtOnce: 3 } });
    scene.agent("a1", 100);
    await scene.queue.start();
    const ids: InvocationId[] = [];
    for (let count = 0; count < 10; count += 1) ids.push(await scene.accept());
    const sent = () => ids.filter((id) => scene.exchanges(id).length > 0);
    expect(sent()).toHaveLength(3);
    const other = new QueueScene("b-2", scene.store);
    for (const [name, revision] of scene.revisions) other.revisions.set(name, revision);
    other.agent("a1", 100);
    await scene.queue.close();
    await other.queue.start();
    await other.advance(100, 10);
    expect(other.bus.exchanges).toEqual([]);
    const [first] = sent();
    if (first === undefined) throw new Error("three were sent");
    const { agent, order } = scene.last(first);
    const orphan = { invocationId: first, attempt: order.attempt, tenantId: acme, functionName: "resize", revisionId: "resize-r1", acceptedAt: order.accepted?.acceptedAt ?? "", payloadBytes: 7 };
    other.queue.outcome(agent, { kind: "answer", head: { complete: true, headers: [], result: { outcome: "succeeded" }, orphan, bodyBytes: 0, bodyKept: true }, body: new Uint8Array(0) });
    await settled();
    expect(other.bus.exchanges).toHaveLength(1);
  });

  it("never begins what was cancelled before", async () => {
    const scene = await ready();
    const id = await scene.accept({ notBeforeMs: scene.nowMs + 60_000 });
    expect(await scene.queue.cancel(acme, id)).toBe(true);
    await settled();
    expect(await outcomeOf(scene, id)).toBe("cancelled");
    await scene.advance(120_000);
    expect(scene.exchanges(id)).toEqual([]);
    expect(await scene.queue.cancel(acme, scene.submission().invocationId)).toBe(false);
  });

  it("has an agent end what is cancelled while it runs, and repeats nothing of it", async () => {
    const scene = await ready();
    const id = await scene.accept();
    await scene.begins(id);
    await scene.queue.cancel(acme, id);
    await settled();
    expect(scene.asks).toMatchObject([{ agentId: "a1", question: { ask: "confirm", attempts: [{ invocationId: id, attempt: 1, cancel: true }] } }]);
    expect(await scene.queue.find(acme, id)).toMatchObject({ state: "running", cancelRequested: true });
    await scene.ends(id, { outcome: "failed", exitCode: 1 });
    expect(await outcomeOf(scene, id)).toBe("failed");
    await scene.queue.cancel(acme, id);
    expect(await outcomeOf(scene, id)).toBe("failed");
  });

  it("keeps what became of an attempt, whenever it is cancelled", async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      const scene = await ready();
      const id = await scene.accept();
      await scene.begins(id);
      const cancelling = scene.queue.cancel(acme, id);
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      await scene.ends(id, { outcome: "failed", exitCode: 9 });
      await cancelling;
      await scene.advance(60_000, 5_000);
      const found = await scene.queue.find(acme, id);
      const { record } = found?.state === "finished" ? found : { record: undefined };
      expect([turns, [record?.result, ...(record?.past ?? []).map(({ result }) => result)].some((result) => result?.exitCode === 9)]).toEqual([turns, true]);
    }
  });

  it("ends what was cancelled on its way to an agent that has it not", async () => {
    const scene = await ready();
    const id = await scene.accept();
    scene.missing.add(id);
    await scene.queue.cancel(acme, id);
    await settled();
    expect(await outcomeOf(scene, id)).toBe("cancelled");
  });

  it("lets whoever waits know at once that it has ended, and what it is when it has not", async () => {
    const scene = await ready();
    const id = await scene.accept();
    const waiting = scene.queue.whenEnded(acme, id, 60_000);
    await scene.advance(11_000, 1_000);
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    expect(await waiting).toMatchObject({ state: "finished" });
    const other = await scene.accept();
    const impatient = scene.queue.whenEnded(acme, other, 3_000);
    await scene.advance(3_000);
    expect(await impatient).toMatchObject({ state: "running" });
  });

  it("begins once what a caller waits for, however it ends, and lets every caller have the one answer", async () => {
    const scene = await ready();
    const submission = scene.submission();
    const answers = [scene.queue.answer(submission), scene.queue.answer(submission)];
    await settled();
    await scene.begins(submission.invocationId);
    await scene.ends(submission.invocationId, { outcome: "failed", exitCode: 7 }, { body: "why" });
    for (const answer of await Promise.all(answers)) expect(answer.view).toMatchObject({ state: "finished", record: { result: { outcome: "failed", exitCode: 7 } }, body: Buffer.from("why") });
    expect(scene.exchanges(submission.invocationId)).toHaveLength(1);
  });

  it("does not begin late what a caller waited for", async () => {
    const scene = new QueueScene();
    scene.deploy();
    await scene.queue.start();
    const answer = scene.queue.answer(scene.submission());
    await scene.advance(11_000, 1_000);
    expect((await answer).view).toMatchObject({ record: { result: { outcome: "expired" } } });
  });
});

describe("an entry that a killed server brought back beside its record", () => {
  it("is not begun again, and goes", async () => {
    const scene = await ready();
    const id = await scene.accept({ notBeforeMs: scene.nowMs + 1_000 });
    const entry = await scene.store.queue.find(acme, id);
    if (entry?.state !== "queued") throw new Error("it waits");
    await scene.queue.cancel(acme, id);
    await settled();
    scene.store.queue.ghosts.set(entry.sequence, entry);
    const other = await ready(new QueueScene("b-2", scene.store));
    await scene.queue.close();
    await other.advance(2_000, 500);
    other.store.queue.tell(entry);
    await other.advance(2_000, 500);
    expect(other.bus.exchanges).toEqual([]);
    expect(scene.store.queue.ghosts.size).toBe(0);
  });
});

describe("an entry that a killed server brought back, and that no agent has room for,", () => {
  it("goes when its time is over, and its record stays", async () => {
    const scene = new QueueScene();
    scene.deploy();
    await scene.queue.start();
    const id = await scene.accept({ maxAgeMs: 60_000 });
    const entry = await scene.store.queue.find(acme, id);
    if (entry?.state !== "queued") throw new Error("it waits");
    await scene.queue.cancel(acme, id);
    await settled();
    scene.store.queue.ghosts.set(entry.sequence, entry);
    scene.store.queue.tell(entry);
    await scene.advance(70_000, 5_000);
    expect(scene.store.queue.ghosts.size).toBe(0);
    expect(await outcomeOf(scene, id)).toBe("cancelled");
  });
});

describe("an outcome that comes when its entry is long overdue", () => {
  it("ends it, and nothing is repeated", async () => {
    const scene = await ready();
    const id = await scene.accept();
    await scene.begins(id);
    scene.store.queue.becomeOverdue(acme, id);
    await scene.ends(id, { outcome: "failed", exitCode: 4 });
    expect(await outcomeOf(scene, id)).toBe("failed");
  });
});

describe("an attempt whose instance could not begin", () => {
  it("is no attempt that counts, and is tried less and less often", async () => {
    const scene = await ready();
    const id = await scene.accept();
    for (const waitMs of [1_000, 2_000, 5_000]) {
      await scene.begins(id);
      await scene.ends(id, { outcome: "rejected", error: new LongshoreError("instance_start_failed", "Cannot start", { phase: "startup" }).toShape() });
      const count = scene.exchanges(id).length;
      await scene.advance(waitMs - 500, 500);
      expect(scene.exchanges(id)).toHaveLength(count);
      await scene.advance(1_000, 500);
      expect(scene.exchanges(id)).toHaveLength(count + 1);
    }
    expect(await scene.queue.find(acme, id)).not.toHaveProperty("past");
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    expect(await outcomeOf(scene, id)).toBe("succeeded");
  });
});

describe("an attempt that nobody confirmed", () => {
  it("is asked for at its agent, and is sent anew where that has it not", async () => {
    const scene = await ready();
    const id = await scene.accept();
    const [first] = scene.exchanges(id);
    first?.fails("bus_down"); // Nobody knows whether the order arrived.
    scene.missing.add(id);
    await scene.advance(7_000, 1_000);
    expect(scene.asks).toMatchObject([{ agentId: "a1", question: { ask: "confirm", attempts: [{ invocationId: id, attempt: 1, cancel: false }] } }]);
    expect(scene.exchanges(id).map(({ order }) => order.attempt)).toEqual([1, 2]);
  });

  it("is left to an agent that has it, and is not asked for again", async () => {
    const scene = await ready();
    const id = await scene.accept();
    scene.last(id).fails("bus_down");
    await scene.advance(14_000, 1_000);
    expect(scene.asks).toHaveLength(1);
    expect(scene.exchanges(id)).toHaveLength(1);
    await scene.ends(id, { outcome: "succeeded" });
    expect(await outcomeOf(scene, id)).toBe("succeeded");
  });

  it("is asked for again while it waits at its agent to begin, and sent anew when the agent's next process has it not", async () => {
    const scene = await ready();
    const id = await scene.accept();
    scene.last(id).fails("bus_down");
    scene.notBegun.add(id);
    await scene.advance(14_000, 1_000);
    expect(scene.exchanges(id)).toHaveLength(1);
    scene.notBegun.delete(id);
    scene.missing.add(id);
    await scene.hasRoom("a1", 1);
    await scene.advance(6_000, 1_000);
    expect(scene.exchanges(id).map(({ order }) => order.attempt)).toEqual([1, 2]);
  });

  it("is not asked for where its agent has said that it has begun", async () => {
    const scene = await ready();
    const id = await scene.accept();
    await scene.begins(id);
    await scene.advance(14_000, 1_000);
    expect(scene.asks).toEqual([]);
  });

  it("is taken up by another broker when the one that sent it is gone", async () => {
    const one = await ready();
    const id = await one.accept();
    expect(one.exchanges(id)).toHaveLength(1);
    await one.queue.close();
    const other = await ready(new QueueScene("b-2", one.store));
    other.missing.add(id);
    await other.advance(7_000, 1_000);
    expect(other.exchanges(id).map(({ order }) => order.attempt)).toEqual([2]);
    await other.begins(id);
    await other.ends(id, { outcome: "succeeded" });
    expect(await outcomeOf(one, id)).toBe("succeeded");
  });

  it("waits for an agent that is not there to come back", async () => {
    const scene = await ready();
    await scene.advance(12_000);
    const id = await scene.accept();
    scene.last(id).fails("bus_down");
    scene.missing.add(id);
    await scene.advance(60_000, 1_000);
    expect(scene.asks).toEqual([]);
    scene.fleet.heartbeat("a1", { instancesMax: 10, instancesFree: 10 });
    await scene.advance(2_000, 1_000);
    expect(scene.exchanges(id)).toHaveLength(2);
  });
});
