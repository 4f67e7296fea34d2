import { createInvocationId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { DeadLetters } from "./dead-letters.ts";
import { acme, QueueScene } from "./testing/queue-scene.ts";

const page = { after: 0, limit: 50 };

/** A broker, and so many invocations that died after their third attempt. */
async function withDead(count: number) {
  const scene = new QueueScene();
  scene.deploy({ document: { retry: "never" } });
  scene.agent("a1", 1000);
  await scene.queue.start();
  const letters = new DeadLetters({ store: scene.store.queue, bodies: scene.store.bodies, queue: scene.queue, log: pino({ level: "silent" }) });
  const ids = [];
  for (let index = 0; index < count; index += 1) {
    const id = await scene.accept({ text: `payload ${index}` });
    await scene.begins(id);
    await scene.ends(id, { outcome: "failed", exitCode: index });
    ids.push(id);
  }
  return { scene, letters, ids };
}

describe("dead letters", () => {
  it("are what did not succeed, with the reason of every attempt", async () => {
    const scene = new QueueScene();
    scene.deploy();
    scene.agent("a1", 10);
    await scene.queue.start();
    const letters = new DeadLetters({ store: scene.store.queue, bodies: scene.store.bodies, queue: scene.queue, log: pino({ level: "silent" }) });
    const id = await scene.accept();
    for (const [exitCode, waitMs] of [[1, 11_000], [2, 61_000], [3, 0]] as const) {
      await scene.begins(id);
      await scene.ends(id, { outcome: "failed", exitCode });
      for (let left = waitMs; left > 0; left -= 5_000) {
        scene.fleet.heartbeat("a1", { instancesMax: 10, instancesFree: 10 });
        await scene.advance(5_000);
      }
    }
    const { letter, body } = await letters.get(acme, id);
    expect(letter.record).toMatchObject({ attempt: 3, result: { exitCode: 3 }, past: [{ attempt: 1, result: { exitCode: 1 } }, { attempt: 2, result: { exitCode: 2 } }] });
    expect(Buffer.from(body as Uint8Array).toString()).toBe("payload");
    expect((await letters.list(acme, page)).deadLetters).toEqual([letter]);
  });

  it("are not made of what succeeded, was cancelled, or had a caller who waited", async () => {
    const { scene, letters } = await withDead(0);
    const [done, cancelled] = [await scene.accept(), await scene.accept({ notBeforeMs: scene.nowMs + 1_000 })];
    await scene.begins(done);
    await scene.ends(done, { outcome: "succeeded" });
    await scene.queue.cancel(acme, cancelled);
    const waited = scene.submission();
    const answer = scene.queue.answer(waited);
    await scene.advance(60);
    await scene.begins(waited.invocationId);
    await scene.ends(waited.invocationId, { outcome: "failed" });
    await answer;
    expect((await letters.list(acme, page)).deadLetters).toEqual([]);
  });

  it("are submitted again once, however often that is asked, under an id that tells where from", async () => {
    const { scene, letters, ids: [id = createInvocationId()] } = await withDead(1);
    const views = await Promise.allSettled([letters.redrive(acme, id), letters.redrive(acme, id)]);
    const again = [...new Set(views.flatMap((view) => (view.status === "fulfilled" && "invocationId" in view.value ? [view.value.invocationId] : [])))];
    expect(again).toHaveLength(1);
    await scene.advance(60);
    const sent = scene.bus.exchanges.at(-1);
    expect([sent?.order.invocationId, Buffer.from(sent?.body ?? []).toString()]).toEqual([again[0], "payload 0"]);
    await scene.begins(again[0] as never);
    await scene.ends(again[0] as never, { outcome: "failed" });
    expect((await letters.list(acme, page)).deadLetters).toMatchObject([{ record: { invocationId: again[0], redriveOf: id } }]);
    await expect(letters.redrive(acme, id)).rejects.toMatchObject({ reason: "dead_letter_not_found" });
  });

  it("of a function are submitted again all together, page by page", async () => {
    const { scene, letters, ids } = await withDead(130);
    expect(await letters.list(acme, { after: 0, limit: 100 })).toMatchObject({ deadLetters: { length: 100 }, next: expect.any(Number) });
    expect(await letters.redriveAll(acme, "resize" as never)).toEqual({ redriven: ids.length, failed: 0 });
    expect((await letters.list(acme, page)).deadLetters).toEqual([]);
    await scene.advance(60);
    expect(scene.bus.exchanges).toHaveLength(2 * ids.length);
  });

  it("are given up, and are nobody else's", async () => {
    const { letters, ids: [id = createInvocationId()] } = await withDead(1);
    await expect(letters.get("globex" as never, id)).rejects.toMatchObject({ reason: "dead_letter_not_found" });
    await letters.remove(acme, id);
    await expect(letters.get(acme, id)).rejects.toMatchObject({ reason: "dead_letter_not_found" });
  });
});
