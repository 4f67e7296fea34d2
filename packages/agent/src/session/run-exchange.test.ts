import { type AnswerHead, type BrokerId, createInvocationId, type ExchangeToken, type Frame, LongshoreError, windowBytes } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { RunHandle, RunReply, RunRequest } from "../run/sink.ts";
import { openRun } from "./run-exchange.ts";

const invocationId = createInvocationId();
const order = { invocationId, attempt: 1, revisionDigest: "d", remainingMs: 1000, request: { method: "POST", target: "/", headers: [] }, more: false };
const revision = { tenantId: "default", functionName: "resize", revisionId: "resize-r1" } as never;
const succeeded = { outcome: "succeeded" } as const;

/** An exchange whose frames are kept, and a run whose calls are. */
function open(head: unknown = order) {
  const sent: Frame[] = [];
  const orphans: Frame[] = [];
  const told: string[] = [];
  let reply!: RunReply;
  let request: RunRequest | undefined;
  const run: RunHandle = {
    data: (bytes) => told.push(`data ${bytes.length}`),
    endRequest: () => told.push("end"),
    resume: () => told.push("resume"),
    cancel: (reason) => told.push(`cancel ${reason}`),
  };
  const handlers = openRun(
    { kind: "open", head, body: Uint8Array.of(1, 2) },
    { brokerId: "b1" as BrokerId, token: "t1" as ExchangeToken, send: (frame) => sent.push(frame), sendOutcome: (frame) => sent.push(frame), sendOrphan: (frame) => orphans.push(frame) },
    (given, sink) => {
      request = given;
      reply = sink;
      return run;
    },
    () => revision,
    () => {
      told.push("accepted");
      return { frame: () => undefined, brokerGone: () => undefined };
    },
  );
  return { handlers, sent, orphans, told, reply, request };
}

const answer: AnswerHead = { complete: true, status: 200, headers: [], result: succeeded };

describe("a run's exchange", () => {
  it("is another's where the invocation was accepted", () => {
    const { told, request } = open({ ...order, accepted: { acceptedAt: "2026-11-28T00:00:00.000Z", incarnation: "this" } });
    expect([told, request]).toEqual([["accepted"], undefined]);
  });

  it("answers a small one in one frame", () => {
    const { reply, sent, request } = open();
    expect(request?.body).toEqual(Uint8Array.of(1, 2));
    reply.complete(answer, Uint8Array.of(9));
    expect(sent).toEqual([{ kind: "answer", head: answer, body: Uint8Array.of(9) }]);
  });

  it("streams under credit and ends after the last chunk", () => {
    const { reply, sent, told, handlers } = open();
    reply.head({ ...answer, complete: false });
    expect(reply.data(new Uint8Array(windowBytes + 1))).toBe(false);
    reply.end({ result: succeeded });
    expect(sent.map((frame) => frame.kind)).toEqual(["answer", "data", "data", "data", "data"]);
    handlers.frame({ kind: "credit", bytes: 1 });
    expect(sent.slice(5)).toEqual([expect.objectContaining({ kind: "data", sequence: 5 }), { kind: "end", head: { result: succeeded, sequenceCount: 5 } }]);
    expect(told).toEqual(["resume"]);
  });

  it("passes the request body on and grants credit as the run takes it", () => {
    const { reply, sent, told, handlers } = open({ ...order, more: true });
    handlers.frame({ kind: "data", sequence: 1, body: new Uint8Array(windowBytes / 2) });
    handlers.frame({ kind: "end", head: { sequenceCount: 1 } });
    expect(told).toEqual([`data ${windowBytes / 2}`, "end"]);
    reply.requestConsumed(windowBytes / 2);
    expect(sent).toEqual([{ kind: "credit", bytes: windowBytes / 2 }]);
  });

  it("cancels the run when a chunk is missing", () => {
    const { told, handlers } = open({ ...order, more: true });
    handlers.frame({ kind: "data", sequence: 2, body: new Uint8Array(1) });
    expect(told).toEqual(["cancel abandoned"]);
  });

  it("sends the outcome of a cancelled run even when body bytes waited for credit", () => {
    const { reply, sent, handlers } = open();
    reply.head({ ...answer, complete: false });
    reply.data(new Uint8Array(windowBytes * 2));
    handlers.frame({ kind: "cancel", head: { reason: "requested" } });
    reply.end({ result: { outcome: "cancelled" } });
    expect(sent.at(-1)).toEqual({ kind: "end", head: { result: { outcome: "cancelled" }, sequenceCount: 4 } });
  });

  it("refuses an order it cannot read, and never begins it", () => {
    const { sent, request } = open({ ...order, request: { method: "POST", target: "no-slash", headers: [] } });
    expect(request).toBeUndefined();
    expect(sent).toEqual([{ kind: "error", head: expect.objectContaining({ reason: "bad_schema", field: "request.target", phase: "admission" }) as unknown }]);
  });

  it("hands the outcome to another broker when its own is gone before the end", () => {
    const { reply, sent, orphans, handlers } = open();
    handlers.brokerGone();
    reply.complete(answer, Uint8Array.of(9));
    expect(sent).toEqual([]);
    expect(orphans).toEqual([expect.objectContaining({ kind: "answer", head: expect.objectContaining({ result: succeeded, orphan: expect.objectContaining({ invocationId, functionName: "resize", payloadBytes: 2 }) as unknown }) as unknown, body: Uint8Array.of(9) })]);
  });

  it("sends the outcome of a finished run whose body waits for credit when its caller leaves", () => {
    const { reply, sent, handlers } = open();
    reply.head({ ...answer, complete: false });
    reply.data(new Uint8Array(windowBytes * 2));
    reply.end({ result: succeeded });
    handlers.frame({ kind: "cancel", head: { reason: "abandoned" } });
    expect(sent.at(-1)).toEqual({ kind: "end", head: { result: succeeded, sequenceCount: 4 } });
  });

  it("hands on the outcome of a finished run whose body waits for credit when its broker is gone", () => {
    const { reply, sent, orphans, handlers } = open();
    reply.head({ ...answer, complete: false });
    reply.data(new Uint8Array(windowBytes * 2));
    reply.end({ result: succeeded });
    handlers.brokerGone();
    expect(sent.filter((frame) => frame.kind === "end")).toEqual([]);
    expect(orphans).toHaveLength(1);
  });

  it("hands on an outcome that the broker did not receive", () => {
    const { reply, orphans, handlers } = open();
    reply.complete(answer, Uint8Array.of(9));
    handlers.brokerGone();
    handlers.brokerGone();
    expect(orphans).toHaveLength(1);
  });

  it("lets a streaming run finish when its broker is gone", () => {
    const { reply, orphans, told, handlers } = open();
    reply.head({ ...answer, complete: false });
    reply.data(new Uint8Array(windowBytes * 2));
    handlers.brokerGone();
    expect(told).toEqual(["resume"]);
    expect(reply.data(new Uint8Array(1))).toBe(true);
    reply.end({ result: succeeded });
    expect(orphans).toHaveLength(1);
  });

  it("carries our own error with its phase", () => {
    const { reply, sent } = open();
    reply.refuse(new LongshoreError("agent_busy", "Cannot take \"resize\": every slot is taken", { phase: "admission" }));
    expect(sent).toEqual([{ kind: "error", head: expect.objectContaining({ reason: "agent_busy", phase: "admission" }) as unknown }]);
  });
});
