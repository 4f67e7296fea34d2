import { chunkBytes, inlineBodyBytes, type InvocationId, LongshoreError, windowBytes } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { DeadLetters } from "./dead-letters.ts";
import { derivedId } from "./derived-id.ts";
import { storeParts } from "./payload.ts";
import { acme, QueueScene, settled } from "./testing/queue-scene.ts";
import { UnnamedBodies } from "./unnamed-bodies.ts";

const log = pino({ level: "silent" });

async function ready(document: Record<string, unknown> = {}) {
  const scene = new QueueScene();
  scene.deploy({ document });
  scene.agent("a1");
  await scene.queue.start();
  return scene;
}

/** What was sent of a payload, once the agent has taken all of it. */
async function sentOf(scene: QueueScene, id: InvocationId): Promise<Buffer> {
  const exchange = scene.last(id);
  for (let granted = 0; exchange.sent("end").length === 0 && granted < 100; granted += 1) {
    exchange.receive({ kind: "credit", bytes: windowBytes / 2 });
    await settled();
  }
  return Buffer.concat(exchange.sent("data").map(({ body }) => body));
}

describe("a payload that is too long to stand with its invocation", () => {
  it("is stored on its own, and follows the order in parts, as the agent takes them", async () => {
    const scene = await ready();
    const bytes = randomBytes(windowBytes * 2 + 5);
    const id = await scene.accept({ body: bytes });
    const { order, body } = scene.last(id);
    expect([order.more, order.bodyBytes, body.length]).toEqual([true, bytes.length, 0]);
    const before = scene.last(id).sent("data").reduce((sum, part) => sum + part.body.length, 0);
    expect(before).toBeLessThanOrEqual(windowBytes);
    expect((await sentOf(scene, id)).equals(bytes)).toBe(true);
    expect(scene.last(id).sent("end")).toEqual([{ kind: "end", head: { sequenceCount: scene.last(id).sent("data").length } }]);
    expect(scene.last(id).sent("data").every((part) => part.body.length <= chunkBytes)).toBe(true);
    await scene.begins(id);
    await scene.ends(id, { outcome: "succeeded" });
    expect(scene.store.bodies.stored.size).toBe(0);
  });

  it("begins at one byte more than stands with its invocation", async () => {
    const scene = await ready();
    const short = await scene.accept({ body: new Uint8Array(inlineBodyBytes) });
    expect([scene.last(short).order.more, scene.last(short).body.length, scene.store.bodies.stored.size]).toEqual([false, inlineBodyBytes, 0]);
    const long = await scene.accept({ body: new Uint8Array(inlineBodyBytes + 1) });
    expect([scene.last(long).order.more, scene.store.bodies.stored.size]).toEqual([true, 1]);
  });

  it("is there once however often it is submitted, and not at all where it is refused", async () => {
    const scene = await ready();
    const submission = scene.submission({ body: randomBytes(400_000) });
    expect(await scene.queue.accept(submission)).toMatchObject({ isNew: true });
    expect(await scene.queue.accept(submission)).toMatchObject({ isNew: false });
    await expect(scene.queue.accept({ ...submission, body: randomBytes(400_000) })).rejects.toMatchObject({ reason: "invocation_exists" });
    expect(scene.store.bodies.stored.size).toBe(1);
    const body = await storeParts(scene.queue.receive(scene.submission()), [randomBytes(300_000)]);
    scene.refusal = new LongshoreError("not_durable", "Cannot accept");
    await expect(scene.queue.accept({ ...scene.submission(), body })).rejects.toMatchObject({ reason: "not_durable" });
    expect(() => scene.queue.receive(scene.submission())).toThrow(expect.objectContaining({ reason: "not_durable" }));
    expect(() => scene.queue.receive(scene.submission({ functionName: "shrink" as never }))).toThrow(expect.objectContaining({ reason: "function_not_found" }));
  });

  it("stays where nobody can tell whether its invocation was accepted", async () => {
    const scene = await ready();
    const submission = scene.submission();
    const body = await storeParts(scene.queue.receive(submission), [randomBytes(300_000)]);
    scene.store.queue.failing = new LongshoreError("bus_down", "Cannot accept");
    await expect(scene.queue.accept({ ...submission, body })).rejects.toMatchObject({ reason: "bus_down" });
    expect(scene.store.bodies.stored.size).toBe(1);
  });

  it("goes with what was cancelled before it began", async () => {
    const scene = await ready();
    const id = await scene.accept({ body: randomBytes(300_000), notBeforeMs: scene.nowMs + 60_000 });
    await scene.queue.cancel(acme, id);
    await settled();
    expect(await scene.queue.find(acme, id)).toMatchObject({ record: { result: { outcome: "cancelled" }, payloadBytes: 300_000 } });
    expect(scene.store.bodies.stored.size).toBe(0);
  });

  it("that is gone, or damaged, is told as lost, and nothing of it begins", async () => {
    const scene = await ready();
    for (const damage of ["gone", "short", "other"]) {
      const submission = scene.submission({ body: randomBytes(300_000), notBeforeMs: scene.nowMs + 1_000 });
      await scene.queue.accept(submission);
      const { stored } = scene.store.bodies;
      const [[subject, kept] = ["", undefined]] = stored;
      if (damage === "gone") stored.clear();
      else if (kept !== undefined) stored.set(subject, { ...kept, parts: damage === "short" ? [] : [randomBytes(300_000)] });
      await scene.advance(1_000);
      await settled();
      expect(scene.last(submission.invocationId).sent("end")).toEqual([]);
      expect(scene.last(submission.invocationId).sent("cancel")).toEqual([{ kind: "cancel", head: { reason: "abandoned" } }]);
      expect(await scene.queue.find(acme, submission.invocationId)).toMatchObject({ record: { result: { outcome: "rejected", error: { reason: "body_lost" } } } });
      stored.clear();
    }
  });

  it("that cannot be read just now is tried again, with all of it", async () => {
    const scene = await ready();
    scene.store.bodies.failing = undefined;
    const submission = scene.submission({ body: randomBytes(300_000), notBeforeMs: scene.nowMs + 1_000 });
    await scene.queue.accept(submission);
    scene.store.bodies.failing = new LongshoreError("bus_down", "Cannot read a body");
    await scene.advance(1_000);
    scene.store.bodies.failing = undefined;
    await scene.advance(5_000);
    expect(scene.exchanges(submission.invocationId)).toHaveLength(2);
    expect((await sentOf(scene, submission.invocationId)).equals(submission.body as Buffer)).toBe(true);
  });

  it("is not sent to an agent that would refuse it", async () => {
    const scene = new QueueScene();
    scene.deploy();
    scene.fleet.ready("old", { introduction: { protocolVersion: 3 } });
    await scene.queue.start();
    const long = await scene.accept({ body: randomBytes(300_000) });
    expect(scene.exchanges(long)).toEqual([]);
    expect(scene.exchanges(await scene.accept())).toHaveLength(1);
    scene.agent("new");
    await scene.advance(5_000);
    expect(scene.last(long).agent.agentId).toBe("new");
  });

  it("waits no longer than a minute for an agent that takes nothing", async () => {
    const scene = await ready();
    const id = await scene.accept({ body: randomBytes(windowBytes * 3) });
    const before = scene.last(id).sent("data").length;
    await scene.advance(60_000);
    scene.last(id).receive({ kind: "credit", bytes: windowBytes });
    await settled();
    expect([scene.last(id).sent("data").length, scene.last(id).sent("end")]).toEqual([before, []]);
  });
});

describe("the long payload of a dead letter", () => {
  async function failed() {
    const scene = await ready({ retry: "never" });
    const letters = new DeadLetters({ store: scene.store.queue, bodies: scene.store.bodies, queue: scene.queue, log });
    const bytes = randomBytes(300_000);
    const id = await scene.accept({ body: bytes });
    await scene.begins(id);
    await scene.ends(id, { outcome: "failed", exitCode: 1 });
    return { scene, letters, bytes, id };
  }

  it("is kept with it, read from it, and goes with it", async () => {
    const { scene, letters, bytes, id } = await failed();
    const { body, byteLength, letter } = await letters.get(acme, id);
    const parts: Uint8Array[] = [];
    for await (const part of body as AsyncIterable<Uint8Array>) parts.push(part);
    expect([Buffer.concat(parts).equals(bytes), byteLength, "payload" in letter]).toEqual([true, bytes.length, false]);
    await letters.remove(acme, id);
    expect(scene.store.bodies.stored.size).toBe(0);
  });

  it("is submitted again with it, once", async () => {
    const { scene, letters, bytes, id } = await failed();
    await letters.redrive(acme, id);
    await settled();
    const again = derivedId("redrive", acme, id);
    expect((await sentOf(scene, again)).equals(bytes)).toBe(true);
    expect([...scene.store.bodies.stored.keys()]).toEqual([expect.stringContaining(again)]);
    await scene.begins(again);
    await scene.ends(again, { outcome: "succeeded" });
    expect(scene.store.bodies.stored.size).toBe(0);
  });

  it("stays where it cannot be read for now", async () => {
    const { scene, letters, id } = await failed();
    scene.store.bodies.failing = new LongshoreError("bus_down", "Cannot read a body");
    await expect(letters.redrive(acme, id)).rejects.toMatchObject({ reason: "bus_down" });
    expect((await letters.list(acme, { after: 0, limit: 10 })).deadLetters).toHaveLength(1);
  });
});

describe("bodies that nothing names", () => {
  it("are removed once they are half an hour old, and no others", async () => {
    const scene = await ready({ retry: "never" });
    const waiting = await scene.accept({ body: randomBytes(300_000), notBeforeMs: scene.nowMs + 60_000_000 });
    const dead = await scene.accept({ body: randomBytes(300_000) });
    await scene.begins(dead);
    await scene.ends(dead, { outcome: "failed", exitCode: 1 });
    const twice = scene.store.bodies.write({ tenantId: acme, invocationId: waiting, kind: "payload" }, 1);
    const [never, fresh] = [scene.submission(), scene.submission()];
    for (const writing of [twice, scene.queue.receive(never), scene.queue.receive(fresh)]) await writing.write(randomBytes(10));
    for (const [subject, body] of scene.store.bodies.stored) body.writtenAtMs = scene.nowMs - (subject.includes(fresh.invocationId) ? 1_799_000 : 1_801_000);
    let isMine = false;
    const unnamed = new UnnamedBodies({ bodies: scene.store.bodies, queue: scene.store.queue, isMine: () => isMine, clock: scene.fleet.clock, log });
    await unnamed.look();
    expect(scene.store.bodies.stored.size).toBe(5);
    isMine = true;
    scene.store.queue.failing = new LongshoreError("bus_down", "Cannot find");
    await unnamed.look();
    expect(scene.store.bodies.stored.size).toBe(5);
    scene.store.queue.failing = undefined;
    await unnamed.look();
    expect([...scene.store.bodies.stored.keys()].map((subject) => subject.split(".")[4])).toEqual([waiting, dead, fresh.invocationId]);
  });

  it("are removed though something before them cannot be read, which stays", async () => {
    const scene = await ready();
    const damaged = await scene.accept({ body: randomBytes(300_000), notBeforeMs: scene.nowMs + 60_000_000 });
    await scene.queue.receive(scene.submission()).write(randomBytes(10));
    for (const body of scene.store.bodies.stored.values()) body.writtenAtMs = scene.nowMs - 1_801_000;
    const { queue } = scene.store;
    const find: typeof queue.find = (tenantId, id) => (id === damaged ? Promise.reject(new LongshoreError("bad_frame", "Cannot read")) : queue.find(tenantId, id));
    await new UnnamedBodies({ bodies: scene.store.bodies, queue: { find, findDead: (tenantId, id) => queue.findDead(tenantId, id) }, isMine: () => true, clock: scene.fleet.clock, log }).look();
    expect([...scene.store.bodies.stored.keys()].map((subject) => subject.split(".")[4])).toEqual([damaged]);
  });
});
