import { chunkBytes, createInvocationId, type Frame, type RunOrder, windowBytes } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import type { RunReply, RunRequest } from "../run/sink.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { testRevision } from "../testing/revision.ts";
import { AcceptedWork } from "./accepted-work.ts";
import { PayloadFolder } from "./payload-files.ts";
import { MemoryAnswers } from "./testing/memory-answers.ts";
import { MemoryJournal } from "./testing/memory-journal.ts";
import { MemoryPayloads } from "./testing/memory-payloads.ts";

const revision = testRevision({ name: "resize" });
const settled = async () => {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** An agent that is sent one attempt whose payload comes in parts; what the image is given, and how fast it takes that, is the test's. */
function scene(bytes = randomBytes(300_000), changes: Partial<RunOrder> = {}) {
  const [clock, payloads, journal] = [new ManualClock(), new MemoryPayloads(), new MemoryJournal()];
  const given: Uint8Array[] = [];
  const runs: { request: RunRequest; reply: RunReply; cancelled: string[] }[] = [];
  const told: Frame[] = [];
  const made = { clock, payloads, journal, bytes, given, runs, told, hasEnded: false, known: true, takes: true };
  const work = new AcceptedWork({
    ...journal.open(),
    payloads,
    answers: new MemoryAnswers(),
    bus: { connected: true, outcome: (frame) => void told.push(frame) },
    incarnation: "this",
    startRun: (request, reply) => {
      const cancelled: string[] = [];
      runs.push({ request, reply, cancelled });
      const data = (part: Uint8Array) => {
        given.push(part);
        if (made.takes) reply.requestConsumed(part.length);
      };
      return { data, endRequest: () => void (made.hasEnded = true), resume: () => undefined, cancel: (reason) => void cancelled.push(reason) };
    },
    findRevision: () => (made.known ? revision : undefined),
    clock,
    log: pino({ level: "silent" }),
  });
  const order: RunOrder = { invocationId: createInvocationId(), attempt: 1, revisionDigest: revision.digest, remainingMs: 1_000, request: { method: "POST", target: "/", headers: [] }, more: true, bodyBytes: bytes.length, accepted: { acceptedAt: "2026-11-28T10:00:00.000Z", incarnation: "this" }, ...changes };
  const frames: Frame[] = [];
  const open = () => work.open(order, new Uint8Array(0), { brokerId: "b1", token: "t1", send: (frame: Frame) => void frames.push(frame), sendOrphan: () => undefined } as never);
  const parts = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) => bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes));
  const send = (handlers: ReturnType<typeof open>, end = true) => {
    for (const [index, body] of parts.entries()) handlers.frame({ kind: "data", sequence: index + 1, body });
    if (end) handlers.frame({ kind: "end", head: { sequenceCount: parts.length } });
  };
  return Object.assign(made, { work, order, frames, open, send, parts });
}

describe("an attempt whose payload comes in parts", () => {
  it("is begun once all of it is there, and its image has it byte for byte, no faster than it takes it", async () => {
    const made = scene(randomBytes(windowBytes + 300_000));
    const { open, runs, given, order, work, frames, journal, payloads } = made;
    const handlers = open();
    for (const [index, body] of made.parts.entries()) {
      handlers.frame({ kind: "data", sequence: index + 1, body });
      await settled();
    }
    expect([runs.length, work.has(order), frames.every(({ kind }) => kind === "credit")]).toEqual([0, true, true]);
    handlers.frame({ kind: "end", head: { sequenceCount: made.parts.length } });
    await settled();
    expect([runs.length, given.length]).toEqual([1, 0]);
    made.takes = false;
    await runs[0]?.request.willBegin?.();
    await settled();
    expect(Buffer.concat(given).length).toBeLessThan(windowBytes + chunkBytes);
    expect(made.hasEnded).toBe(false);
    for (let at = 0; !made.hasEnded; at += 1) {
      runs[0]?.reply.requestConsumed(given[at]?.length ?? 0);
      await settled();
    }
    expect(Buffer.concat(given).equals(made.bytes)).toBe(true);
    expect([...journal.begun.values()]).toMatchObject([{ head: { payloadBytes: made.bytes.length } }]);
    runs[0]?.reply.complete({ complete: true, headers: [], result: { outcome: "succeeded" } }, Buffer.from("ok"));
    await settled();
    expect([made.told.length, payloads.totalBytes]).toEqual([1, 0]);
  });

  it.each<[string, (made: ReturnType<typeof scene>, handlers: ReturnType<ReturnType<typeof scene>["open"]>) => void, string | undefined]>([
    ["ends early", ({ parts }, handlers) => handlers.frame({ kind: "end", head: { sequenceCount: parts.length } }), "bad_frame"],
    ["has a gap", ({ parts }, handlers) => handlers.frame({ kind: "data", sequence: 2, body: parts[1] ?? new Uint8Array(0) }), "bad_frame"],
    ["is shorter than its order said", ({ parts }, handlers) => {
      handlers.frame({ kind: "data", sequence: 1, body: parts[0] ?? new Uint8Array(0) });
      handlers.frame({ kind: "end", head: { sequenceCount: 1 } });
    }, "bad_frame"],
    ["had more parts than came", ({ send, parts }, handlers) => {
      send(handlers, false);
      handlers.frame({ kind: "end", head: { sequenceCount: parts.length + 1 } });
    }, "bad_frame"],
    ["is longer than its order said", ({ send }, handlers) => {
      send(handlers, false);
      handlers.frame({ kind: "data", sequence: 4, body: new Uint8Array(1) });
    }, "bad_frame"],
    ["stays away", ({ clock }) => clock.advance(30_000), "agent_lost"],
    ["breaks off with its broker", (_, handlers) => handlers.brokerGone(), undefined],
    ["is given up by its broker", (_, handlers) => handlers.frame({ kind: "cancel", head: { reason: "abandoned" } }), undefined],
  ])("that %s is not begun, and nothing of it stays", async (_, act, reason) => {
    const made = scene();
    const handlers = made.open();
    act(made, handlers);
    await settled();
    made.send(handlers);
    await settled();
    const refusals = made.frames.filter(({ kind }) => kind === "error");
    expect(refusals).toMatchObject(reason === undefined ? [] : [{ head: { reason, phase: "admission" } }]);
    expect([made.runs.length, made.payloads.totalBytes, made.work.has(made.order), made.journal.written]).toEqual([0, 0, false, []]);
    expect(made.work.confirm([{ ...made.order, cancel: false }]).unknown).toHaveLength(1);
  });

  it("that the disk does not take is refused", async () => {
    const made = scene();
    made.payloads.failing.write = new Error("ENOSPC");
    made.send(made.open());
    await settled();
    expect(made.frames.filter(({ kind }) => kind === "error")).toMatchObject([{ head: { reason: "disk_full", phase: "admission" } }]);
    expect([made.runs.length, made.payloads.totalBytes]).toEqual([0, 0]);
  });

  it("that the disk does not give back is lost, since its image had a part of it", async () => {
    const made = scene();
    made.send(made.open());
    await settled();
    made.payloads.failing.read = new Error("EIO");
    await made.runs[0]?.request.willBegin?.();
    await settled();
    expect(made.runs[0]?.cancelled).toEqual(["requested"]);
    made.runs[0]?.reply.complete({ complete: true, headers: [], result: { outcome: "cancelled" } }, new Uint8Array(0));
    await settled();
    expect(made.told).toMatchObject([{ head: { result: { outcome: "lost", error: { reason: "body_lost", phase: "execution" } } } }]);
    expect(made.payloads.totalBytes).toBe(0);
  });

  it.each(["frame", "confirm"])("is cancelled before it is there (%s)", async (way) => {
    const made = scene();
    const handlers = made.open();
    made.send(handlers, false);
    if (way === "frame") handlers.frame({ kind: "cancel", head: { reason: "requested" } });
    else made.work.confirm([{ ...made.order, cancel: true }]);
    await settled();
    expect(made.frames.at(-1)).toMatchObject({ kind: "answer", head: { complete: true, result: { outcome: "cancelled" } } });
    expect([made.runs.length, made.payloads.totalBytes, made.work.has(made.order)]).toEqual([0, 0, false]);
  });

  it.each<[string, Partial<RunOrder>, (made: ReturnType<typeof scene>) => void, string]>([
    ["the revision is not known here", {}, (made) => void (made.known = false), "revision_unknown"],
    ["there is no room for it", { bodyBytes: 1_000_001 }, () => undefined, "outbox_full"],
    ["its length is not known", { bodyBytes: undefined }, () => undefined, "bad_frame"],
  ])("is refused before any of it is taken where %s", (_, changes, prepare, reason) => {
    const made = scene(randomBytes(10), changes);
    prepare(made);
    made.open();
    expect(made.frames).toMatchObject([{ kind: "error", head: { reason, phase: "admission" } }]);
    expect([made.work.has(made.order), made.payloads.totalBytes]).toEqual([false, 0]);
  });
});

describe("payloads on disk", () => {
  it("are read as they were written, and gone once they are removed, or their process is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "longshore-payloads-"));
    try {
      const payloads = await PayloadFolder.open(folder);
      const bytes = randomBytes(chunkBytes * 2 + 17);
      const file = payloads.create(bytes.length);
      const writes = [bytes.subarray(0, 1), bytes.subarray(1, 90_000), bytes.subarray(90_000)].map((part) => file.write(part));
      await Promise.all(writes);
      for (let time = 0; time < 2; time += 1) {
        const parts: Uint8Array[] = [];
        for await (const part of file.read()) parts.push(part);
        expect(Buffer.concat(parts).equals(bytes)).toBe(true);
      }
      const left = payloads.create(5);
      await left.write(Buffer.from("left"));
      expect(payloads.totalBytes).toBe(bytes.length + 5);
      await Promise.all([file.remove(), file.remove()]);
      expect([payloads.totalBytes, (await readdir(folder)).length]).toEqual([5, 1]);
      expect((await PayloadFolder.open(folder)).totalBytes).toBe(0);
      expect(await readdir(folder)).toEqual([]);
      await left.remove();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
