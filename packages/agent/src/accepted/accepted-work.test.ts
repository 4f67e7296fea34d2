import { type AnswerHead, createInvocationId, type Frame, inlineBodyBytes, LongshoreError, type RunOrder } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { RunReply, RunRequest } from "../run/sink.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { testRevision } from "../testing/revision.ts";
import { AcceptedWork } from "./accepted-work.ts";
import { MemoryAnswers } from "./testing/memory-answers.ts";
import { MemoryJournal } from "./testing/memory-journal.ts";
import { MemoryPayloads } from "./testing/memory-payloads.ts";

const revision = testRevision({ name: "resize" });
const acceptedAt = "2026-11-28T10:00:00.000Z";
const settled = () => new Promise((resolve) => setImmediate(resolve));
const succeeded: AnswerHead = { complete: true, status: 200, headers: [], result: { outcome: "succeeded" } };
const order = (changes: Partial<RunOrder> = {}): RunOrder => ({ invocationId: createInvocationId(), attempt: 1, revisionDigest: revision.digest, remainingMs: 1_000, request: { method: "POST", target: "/", headers: [] }, more: false, accepted: { acceptedAt, incarnation: "this" }, ...changes });

/** A process of an agent on a given disk, whose runs, bus and time are the test's. */
async function processOn(journal: MemoryJournal, isOver = () => true) {
  const clock = new ManualClock();
  const runs: { request: RunRequest; reply: RunReply; cancelled: string[] }[] = [];
  const outcomes: { outcome: string | undefined; body: string; id: string; attempt: number }[] = [];
  const payloads = new MemoryPayloads();
  const bus = {
    connected: true,
    outcome: (frame: Frame) => {
      if (frame.kind !== "answer") throw new Error(`A frame of kind "${frame.kind}" is no outcome`);
      const head = frame.head as AnswerHead & { orphan: { invocationId: string; attempt: number } };
      outcomes.push({ outcome: head.result?.outcome, body: Buffer.from(frame.body).toString(), id: head.orphan.invocationId, attempt: head.orphan.attempt });
    },
  };
  const work = new AcceptedWork({
    ...journal.open(),
    payloads,
    answers: new MemoryAnswers(),
    bus,
    incarnation: "this",
    startRun: (request, reply) => {
      const cancelled: string[] = [];
      runs.push({ request, reply, cancelled });
      return { data: () => undefined, endRequest: () => undefined, resume: () => undefined, cancel: (reason) => void cancelled.push(reason) };
    },
    findRevision: () => revision,
    clock,
    log: pino({ level: "silent" }),
  });
  await work.recover(isOver);
  await settled();
  const scene = {
    work,
    clock,
    bus,
    runs,
    outcomes,
    /** Opens one, and gives what its exchange was answered. */
    open(opened: RunOrder = order()) {
      const frames: Frame[] = [];
      const handlers = work.open(opened, Buffer.from("payload"), { brokerId: "b1", token: "t1", send: (frame: Frame) => void frames.push(frame), sendOrphan: () => undefined } as never);
      return { order: opened, frames, handlers, run: runs.at(-1) };
    },
    /** One that has begun. */
    async begun(opened?: RunOrder) {
      const made = scene.open(opened);
      await made.run?.request.willBegin?.();
      return made;
    },
  };
  return scene;
}

describe("an attempt at an accepted invocation", () => {
  it("begins once that is on disk, and tells its broker then", async () => {
    const journal = new MemoryJournal();
    const { open } = await processOn(journal);
    const { order: opened, frames, run } = open();
    expect([run?.request.order, Buffer.from(run?.request.body ?? []).toString()]).toEqual([opened, "payload"]);
    const beginning = run?.request.willBegin?.();
    expect(frames).toEqual([]);
    await beginning;
    expect(journal.written).toEqual([`begin ${opened.invocationId} 1`]);
    expect(frames).toEqual([{ kind: "answer", head: { complete: true, headers: [], begun: true }, body: new Uint8Array(0) }]);
    expect([...journal.begun.values()]).toMatchObject([{ head: { functionName: "resize", revisionId: revision.revisionId, tenantId: revision.tenantId, acceptedAt, payloadBytes: 7, attempt: 1 } }]);
  });

  it("is kept and told when it ends, again and again, until it is settled", async () => {
    const journal = new MemoryJournal();
    const { begun, work, outcomes, clock } = await processOn(journal);
    const { order: opened, run } = await begun();
    run?.reply.complete(succeeded, Buffer.from("answer"));
    await settled();
    expect(journal.written.at(-1)).toBe(`keep ${opened.invocationId} 1`);
    expect(journal.begun.size).toBe(1);
    const told = { outcome: "succeeded", body: "answer", id: opened.invocationId, attempt: 1 };
    expect(outcomes).toEqual([told]);
    clock.advance(5_000);
    await settled();
    expect(outcomes).toEqual([told, told]);
    await work.settle([opened]);
    clock.advance(60_000);
    await settled();
    expect([outcomes.length, journal.kept.size, journal.begun.size, work.has(opened)]).toEqual([2, 0, 0, false]);
  });

  it("is told again less and less often while no broker settles it, and at once when the bus is back", async () => {
    const { begun, work, outcomes, clock } = await processOn(new MemoryJournal());
    (await begun()).run?.reply.complete(succeeded, Buffer.from("answer"));
    await settled();
    for (const ms of [5_000, 10_000, 20_000, 20_000]) {
      const before = outcomes.length;
      clock.advance(ms - 1);
      await settled();
      expect(outcomes).toHaveLength(before);
      clock.advance(1);
      await settled();
      expect(outcomes).toHaveLength(before + 1);
    }
    work.connected();
    await settled();
    expect(outcomes).toHaveLength(6);
    clock.advance(5_000);
    await settled();
    expect(outcomes).toHaveLength(7);
  });

  it("puts an answer together that comes in parts, and says of one that is too long to be told with its outcome that it follows", async () => {
    const journal = new MemoryJournal();
    const { begun, outcomes } = await processOn(journal);
    for (const parts of [["one ", "two"], ["x".repeat(inlineBodyBytes), "y"]]) {
      const { run } = await begun();
      run?.reply.head({ complete: false, status: 200, headers: [["content-type", "text/plain"]] });
      for (const part of parts) expect(run?.reply.data(Buffer.from(part))).toBe(true);
      run?.reply.end({ result: { outcome: "succeeded" }, runMs: 5 });
      await settled();
    }
    expect(outcomes.map(({ body }) => body)).toEqual(["one two", ""]);
    const heads = [...journal.kept.values()].map(({ head }) => head);
    expect(heads).toMatchObject([{ status: 200, headers: [["content-type", "text/plain"]], runMs: 5, bodyBytes: 7, bodyKept: true }, { bodyBytes: inlineBodyBytes + 1, bodyKept: true, bodyFollows: true }]);
  });

  it("that is refused, or cancelled, before it begins is told to its broker alone", async () => {
    const journal = new MemoryJournal();
    const { open, outcomes } = await processOn(journal);
    const refused = open();
    refused.run?.reply.refuse(new LongshoreError("agent_busy", "Cannot run: no free slot", { phase: "admission" }));
    expect(refused.frames).toMatchObject([{ kind: "error", head: { reason: "agent_busy" } }]);
    const cancelled = open();
    cancelled.handlers.frame({ kind: "cancel", head: { reason: "requested" } });
    expect(cancelled.run?.cancelled).toEqual(["requested"]);
    cancelled.run?.reply.complete({ ...succeeded, result: { outcome: "cancelled" } }, new Uint8Array(0));
    expect(cancelled.frames).toMatchObject([{ kind: "answer", head: { result: { outcome: "cancelled" } } }]);
    await settled();
    expect([journal.written, outcomes]).toEqual([[], []]);
  });

  it("is not begun when the disk does not take its start", async () => {
    const journal = new MemoryJournal();
    const { open, outcomes } = await processOn(journal);
    const { run, frames, order: opened } = open();
    journal.failing = new Error("ENOSPC");
    await expect(run?.request.willBegin?.()).rejects.toThrow("ENOSPC");
    run?.reply.refuse(new LongshoreError("unexpected", "Cannot run: no start record could be written", { phase: "startup" }));
    await settled();
    expect(frames).toMatchObject([{ kind: "error", head: { reason: "unexpected", phase: "startup" } }]);
    expect(outcomes).toEqual([]);
    const cancelled = open();
    cancelled.run?.request.willBegin?.().catch(() => undefined);
    cancelled.run?.reply.complete({ ...succeeded, result: { outcome: "cancelled" } }, new Uint8Array(0));
    await settled();
    expect(cancelled.frames).toMatchObject([{ kind: "answer", head: { result: { outcome: "cancelled" } } }]);
    expect(outcomes).toEqual([]);
    journal.failing = undefined;
    const again = open(opened);
    await again.run?.request.willBegin?.();
    expect(again.frames).toMatchObject([{ head: { begun: true } }]);
  });

  it("that is refused after it has begun ends as rejected, or lost where the image had it, without what had come of an answer", async () => {
    const journal = new MemoryJournal();
    const { begun, outcomes } = await processOn(journal);
    const ends: [phase: "startup" | "execution", outcome: string][] = [["startup", "rejected"], ["execution", "lost"]];
    for (const [phase] of ends) {
      const { run } = await begun();
      run?.reply.head({ complete: false, headers: [] });
      run?.reply.data(Buffer.from("half an ans"));
      run?.reply.refuse(new LongshoreError("bad_answer", "Cannot read its answer", { phase }));
      await settled();
    }
    expect(outcomes.map(({ outcome, body }) => [outcome, body])).toEqual(ends.map(([, outcome]) => [outcome, ""]));
    expect([...journal.kept.values()].map(({ head }) => head)).toMatchObject(ends.map(() => ({ bodyBytes: 0, bodyKept: true, result: { error: { reason: "bad_answer" } } })));
  });

  it("whose result the disk does not take is told from memory, and is lost if the process dies", async () => {
    const journal = new MemoryJournal();
    const { begun, outcomes, work } = await processOn(journal);
    const [first, second] = [await begun(), await begun()];
    journal.failing = new Error("ENOSPC");
    first.run?.reply.complete(succeeded, Buffer.from("answer"));
    second.run?.reply.complete(succeeded, Buffer.from("answer"));
    await settled();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded"]);
    await work.settle([first.order]);
    journal.failing = undefined;
    const next = await processOn(journal);
    expect(next.outcomes).toMatchObject([{ outcome: "lost", id: second.order.invocationId }]);
  });

  it("is taken once, though it has not begun, and again once it was refused", async () => {
    const { open } = await processOn(new MemoryJournal());
    const { order: opened, run } = open();
    expect(open(opened).frames).toMatchObject([{ kind: "error", head: { reason: "invocation_exists" } }]);
    run?.reply.refuse(new LongshoreError("agent_busy", "Cannot run: no free slot", { phase: "admission" }));
    expect(open(opened).frames).toEqual([]);
  });

  it("whose result cannot be read from the disk is lost at once, and is never said not to be here", async () => {
    const journal = new MemoryJournal();
    const before = await processOn(journal);
    before.bus.connected = false;
    const { order: opened, run } = await before.begun();
    run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    for (const process of [before, await processOn(journal, () => true)]) {
      journal.damaged.add(`${opened.invocationId} 1`);
      process.bus.connected = true;
      process.work.connected();
      await settled();
      expect(process.outcomes.at(-1)).toMatchObject({ outcome: "lost", id: opened.invocationId, attempt: 1 });
      expect(process.work.confirm([{ ...opened, cancel: false }])).toEqual({ unknown: [], waiting: [] });
    }
  });

  it("of which neither result nor start can be read is not told, nor asked for again and again, nor said not to be here", async () => {
    const journal = new MemoryJournal();
    const before = await processOn(journal);
    before.bus.connected = false;
    const { order: opened, run } = await before.begun();
    run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    journal.damaged.add(`${opened.invocationId} 1`);
    journal.begun.clear();
    const { work, outcomes, clock } = await processOn(journal);
    work.connected();
    await settled();
    expect([outcomes, work.has(opened), work.holdings.unreadable, clock.pending]).toEqual([[], true, 1, 0]);
  });

  it("whose result there are no means to read just now is told later", async () => {
    const journal = new MemoryJournal();
    const { begun, outcomes, clock, bus, work } = await processOn(journal);
    bus.connected = false;
    (await begun()).run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    journal.isUnreadableNow = true;
    bus.connected = true;
    work.connected();
    await settled();
    journal.isUnreadableNow = false;
    expect(outcomes).toEqual([]);
    clock.advance(5_000);
    await settled();
    expect(outcomes).toMatchObject([{ outcome: "succeeded" }]);
  });

  it("is not begun a second time, nor beyond the quota of results that wait", async () => {
    const journal = new MemoryJournal();
    const { begun, open } = await processOn(journal);
    const { order: opened, run } = await begun();
    expect(open(opened).frames).toMatchObject([{ kind: "error", head: { reason: "invocation_exists", phase: "admission" } }]);
    run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    expect(open(opened).frames).toMatchObject([{ head: { reason: "invocation_exists" } }]);
    journal.hasRoom = false;
    expect(open().frames).toMatchObject([{ head: { reason: "outbox_full" } }]);
  });

  it("that waited for an instance until that quota was reached is refused then, and is not here any more", async () => {
    const journal = new MemoryJournal();
    const { work, open } = await processOn(journal);
    const { order: opened, run, frames } = open();
    journal.hasRoom = false;
    await expect(run?.request.willBegin?.()).rejects.toMatchObject({ reason: "outbox_full", phase: "startup" });
    run?.reply.refuse(new LongshoreError("outbox_full", "no room", { phase: "startup" }));
    await settled();
    expect(frames).toMatchObject([{ kind: "error", head: { reason: "outbox_full" } }]);
    expect([work.has(opened), journal.written]).toEqual([false, []]);
  });
});

describe("what an earlier process left", () => {
  it("is told: results as they were, and what it had begun as lost, once each", async () => {
    const journal = new MemoryJournal();
    const before = await processOn(journal);
    before.bus.connected = false;
    const [finished, running] = [await before.begun(), await before.begun(order({ attempt: 2 }))];
    finished.run?.reply.complete(succeeded, Buffer.from("answer"));
    await settled();
    const after = await processOn(journal);
    expect(after.outcomes.toSorted((a, b) => a.attempt - b.attempt)).toEqual([
      { outcome: "succeeded", body: "answer", id: finished.order.invocationId, attempt: 1 },
      { outcome: "lost", body: "", id: running.order.invocationId, attempt: 2 },
    ]);
    await after.work.settle([finished.order, running.order]);
    expect((await processOn(journal)).outcomes).toEqual([]);
  });

  it("is not told as lost while its container may still run, nor said not to be here, and once that is gone it is", async () => {
    const journal = new MemoryJournal();
    const { order: opened } = await (await processOn(journal)).begun();
    let isGone = false;
    const after = await processOn(journal, () => isGone);
    await after.work.recover(() => isGone);
    expect([after.outcomes, after.work.confirm([{ ...opened, cancel: false }]).unknown, after.work.holdings.running]).toEqual([[], [], [{ invocationId: opened.invocationId, attempt: 1 }]]);
    isGone = true;
    await after.work.recover(() => isGone);
    await settled();
    expect(after.outcomes).toMatchObject([{ outcome: "lost", id: opened.invocationId }]);
    await after.work.recover(() => isGone);
    expect(after.outcomes).toHaveLength(1);
  });

  it("is told in turns, so that what no broker settles keeps none of the others from it", async () => {
    const journal = new MemoryJournal();
    const { begun, bus, work, outcomes, clock } = await processOn(journal);
    bus.connected = false;
    for (let index = 0; index < 129; index += 1) (await begun()).run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    bus.connected = true;
    work.connected();
    await settled();
    clock.advance(5_000);
    await settled();
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(129);
  });

  it("waits for the bus, and goes at once when that is back", async () => {
    const journal = new MemoryJournal();
    const { begun, bus, work, outcomes, clock } = await processOn(journal);
    bus.connected = false;
    const { run } = await begun();
    run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    clock.advance(60_000);
    await settled();
    expect(outcomes).toEqual([]);
    bus.connected = true;
    work.connected();
    await settled();
    expect(outcomes).toHaveLength(1);
  });

  it("begins nothing that it said it had not, nor what is meant for an earlier process of its agent", async () => {
    const { work, open, runs } = await processOn(new MemoryJournal());
    const [late, meant, here] = [order(), order({ accepted: { acceptedAt, incarnation: "earlier" } }), order()];
    open(here);
    const keyOf = ({ invocationId, attempt }: RunOrder) => ({ invocationId, attempt, cancel: false });
    expect(work.confirm([keyOf(late), keyOf(here)])).toEqual({ unknown: [{ invocationId: late.invocationId, attempt: 1 }], waiting: [{ invocationId: here.invocationId, attempt: 1 }] });
    for (const each of [late, meant]) expect(open(each).frames).toMatchObject([{ kind: "error", head: { reason: "attempt_withdrawn", phase: "admission" } }]);
    expect(open({ ...late, attempt: 2 }).frames).toEqual([]);
    expect(runs).toHaveLength(2);
  });

  it("ends what it is asked to while it is asked what it has", async () => {
    const { work, begun, runs } = await processOn(new MemoryJournal());
    const { order: running } = await begun();
    expect(work.confirm([{ invocationId: running.invocationId, attempt: 1, cancel: true }])).toEqual({ unknown: [], waiting: [] });
    expect(runs[0]?.cancelled).toEqual(["requested"]);
  });

  it("goes a few at a time, however many wait", async () => {
    const journal = new MemoryJournal();
    const { begun, bus, work, outcomes } = await processOn(journal);
    bus.connected = false;
    for (let index = 0; index < 200; index += 1) (await begun()).run?.reply.complete(succeeded, new Uint8Array(0));
    await settled();
    bus.connected = true;
    work.connected();
    await settled();
    expect(outcomes).toHaveLength(128);
    await work.settle(outcomes.slice(0, 10).map(({ id, attempt }) => ({ invocationId: id, attempt })));
    await settled();
    expect(outcomes).toHaveLength(138);
  });
});
