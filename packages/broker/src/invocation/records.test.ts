import { type AnswerHead, createInvocationId, type Frame, type InvocationRecord, type TenantId } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { EventHub } from "../events.ts";
import { createInflightElsewhere } from "./inflight-elsewhere.ts";
import { Invocations } from "./invocations.ts";
import { readOrphan, recordOfOrphan } from "./records.ts";
import { storeOrphan, tellFinished } from "./tell-finished.ts";
import { type Call, InvocationScene } from "./testing/invocation-scene.ts";

const log = pino({ level: "silent" });
const acme = "acme" as TenantId;
const globex = "globex" as TenantId;

const nothingAccepted = { find: () => Promise.resolve(undefined), whenEnded: () => Promise.resolve(undefined), cancel: () => Promise.resolve(false), answerOf: (_tenantId: unknown, { body }: { readonly body: Uint8Array }) => body };

/** Brokers that share a store and can ask each other, as over the bus. */
function brokers(count: number) {
  const store = new MemoryStore();
  const answers: ((question: unknown) => unknown)[] = [];
  return Array.from({ length: count }, (_, self) => {
    const scene = new InvocationScene();
    scene.deploy();
    scene.agent("a1", 8);
    const counted: InvocationRecord[] = [];
    const hub = new EventHub(() => []);
    const finished = tellFinished({ records: store.records, hub, ended: (_tenantId, record) => counted.push(record), log });
    const elsewhere = createInflightElsewhere(
      {
        askBrokers: (question) => Promise.resolve(answers.filter((_answer, at) => at !== self).map((answer) => answer(question)).find((answer) => answer !== null)),
        answerBrokers: (handler) => void answers.push(handler),
      },
      scene.dispatcher.inflight,
    );
    const invocations = new Invocations({ inflight: scene.dispatcher.inflight, elsewhere, records: store.records, queue: nothingAccepted });
    /** Stores what has ended since. */
    const tell = () => {
      for (const closing of scene.closings.splice(0)) finished(closing);
    };
    return { scene, store, hub, counted, invocations, tell };
  });
}

function two() {
  const [one, other] = brokers(2);
  if (one === undefined || other === undefined) throw new Error("there are two");
  return { one, other };
}

const complete = ({ scene, tell }: ReturnType<typeof two>["one"], call: Call, body: string | Uint8Array, head: Partial<AnswerHead> = {}) => {
  scene.exchangeOf(call).receive({ kind: "answer", head: { complete: true, headers: [["content-type", "text/plain"]], result: { outcome: "succeeded" }, ...head }, body: Buffer.from(body) });
  tell();
};

describe("the record of an invocation", () => {
  it("is read through any broker, with the answer that is kept", async () => {
    const { one, other } = two();
    const call = one.scene.invoke();
    complete(one, call, "done");
    expect(await other.invocations.view(acme, call.invocationId)).toMatchObject({ state: "finished", record: { result: { outcome: "succeeded" }, resultKept: true } });
    const { record, body } = await other.invocations.result(acme, call.invocationId);
    expect(record.resultHeaders).toEqual([["content-type", "text/plain"]]);
    expect(Buffer.from(body as Uint8Array).toString()).toBe("done");
    expect(one.counted).toHaveLength(1);
  });

  it("is another tenant's to nobody: it answers like one that never was", async () => {
    const { one } = two();
    const call = one.scene.invoke();
    complete(one, call, "done");
    await expect(one.invocations.view(globex, call.invocationId)).rejects.toMatchObject({ reason: "invocation_not_found" });
    await expect(one.invocations.cancel(globex, call.invocationId)).rejects.toMatchObject({ reason: "invocation_not_found" });
    await expect(one.invocations.result(acme, createInvocationId())).rejects.toMatchObject({ reason: "invocation_not_found" });
  });

  it("keeps an answer of 256 KiB, and says of a larger one that it did not", async () => {
    const { one } = two();
    const [kept, large] = [one.scene.invoke(), one.scene.invoke()];
    complete(one, kept, new Uint8Array(256 * 1024));
    expect((await one.invocations.result(acme, kept.invocationId)).body).toHaveLength(256 * 1024);
    complete(one, large, new Uint8Array(256 * 1024 + 1));
    expect(await one.invocations.view(acme, large.invocationId)).toMatchObject({ record: { resultKept: false, resultBytes: 256 * 1024 + 1 } });
    await expect(one.invocations.result(acme, large.invocationId)).rejects.toMatchObject({ reason: "result_not_kept" });
  });

  it("is not made for a call that was refused at the door", async () => {
    const { one } = two();
    const call = one.scene.invoke({ functionName: "unknown" as never });
    one.tell();
    await expect(one.invocations.view(acme, call.invocationId)).rejects.toMatchObject({ reason: "invocation_not_found" });
  });

  it("is told to those of its tenant who watch", () => {
    const { one } = two();
    const events: string[] = [];
    one.hub.subscribe(acme, (event) => events.push(event.event));
    one.hub.subscribe("other" as TenantId, () => events.push("told the wrong tenant"));
    complete(one, one.scene.invoke(), "");
    expect(events).toEqual(["invocation"]);
  });
});

describe("an invocation under way", () => {
  it("is found, and cancelled, through any broker", async () => {
    const { one, other } = two();
    const call = one.scene.invoke();
    for (const { invocations } of [one, other]) {
      expect(await invocations.view(acme, call.invocationId)).toMatchObject({ state: "running", functionName: "resize" });
      await expect(invocations.result(acme, call.invocationId)).rejects.toMatchObject({ reason: "still_running" });
    }
    await other.invocations.cancel(acme, call.invocationId);
    expect(one.scene.exchangeOf(call).sent("cancel")).toHaveLength(1);
    await expect(other.invocations.view(globex, call.invocationId)).rejects.toMatchObject({ reason: "invocation_not_found" });
  });

  it("that has ended stays as it is when it is cancelled", async () => {
    const { one, other } = two();
    const call = one.scene.invoke();
    complete(one, call, "done");
    await other.invocations.cancel(acme, call.invocationId);
    expect(await one.invocations.view(acme, call.invocationId)).toMatchObject({ record: { result: { outcome: "succeeded" } } });
  });

  it("whose broker answers other questions is no answer", async () => {
    const { one } = two();
    const asked = createInflightElsewhere({ askBrokers: () => Promise.resolve({ what: "nonsense" }), answerBrokers: () => undefined }, one.scene.dispatcher.inflight);
    expect(await asked.find("acme", createInvocationId())).toBeUndefined();
    expect(await asked.cancel("acme", createInvocationId())).toBe(false);
  });
});

const orphanFrame = (differences: object = {}): Frame => ({
  kind: "answer",
  head: {
    complete: true,
    headers: [],
    instanceId: "i1",
    start: "cold",
    runMs: 7,
    result: { outcome: "succeeded" },
    orphan: { invocationId: createInvocationId(), attempt: 2, tenantId: "acme", functionName: "resize", revisionId: "resize-r1", acceptedAt: "2026-11-25T00:00:00.000Z", payloadBytes: 3 },
    ...differences,
  },
  body: Buffer.from("late"),
});

describe("an orphan", () => {
  const store = ({ store: { records }, hub }: ReturnType<typeof two>["one"], frame: Frame, ended = () => undefined as void) => {
    const read = readOrphan(frame);
    storeOrphan({ records, hub, ended, log }, acme, recordOfOrphan(read, { siteId: "plant", agentId: "a1" }, new Date(0)), read.body);
    return read.orphan.invocationId;
  };

  it("becomes the record of its invocation", async () => {
    const { one, other } = two();
    const invocationId = store(one, orphanFrame());
    const { record, body } = await other.invocations.result(acme, invocationId);
    expect(record).toMatchObject({ agentId: "a1", siteId: "plant", attempt: 2, instanceId: "i1", start: "cold", timings: { runMs: 7 }, resultBytes: 4, payloadBytes: 3 });
    expect(Buffer.from(body as Uint8Array).toString()).toBe("late");
  });

  it("is stored once: the first one stays", async () => {
    const { one, other } = two();
    const frame = orphanFrame();
    const invocationId = store(one, frame);
    const { head } = frame as { head: object };
    store(other, { ...frame, head: { ...head, result: { outcome: "lost" } } } as Frame);
    expect(await one.invocations.view(acme, invocationId)).toMatchObject({ record: { result: { outcome: "succeeded" } } });
  });

  it.each<[string, Frame]>([
    ["is of another kind", { kind: "end", head: {} }],
    ["names no invocation", orphanFrame({ orphan: undefined })],
    ["has no result", orphanFrame({ complete: false })],
    ["has an id that is none", orphanFrame({ orphan: { invocationId: "x" } })],
  ])("that %s is not taken", (_, frame) => {
    expect(() => readOrphan(frame)).toThrow(expect.objectContaining({ reason: "bad_frame" }));
  });
});
