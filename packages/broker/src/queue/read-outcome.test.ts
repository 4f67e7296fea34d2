import { type AgentAddress, createInvocationId, type Frame } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { readOutcome, recordOfOutcome } from "./read-outcome.ts";

const invocationId = createInvocationId();
const agent = { siteId: "plant", agentId: "a1" } as AgentAddress;
const orphan = { invocationId, attempt: 2, tenantId: "acme", functionName: "resize", revisionId: "resize-r3", acceptedAt: "2026-11-28T10:00:00.000Z", payloadBytes: 7 };
const head = { complete: true, status: 200, headers: [["content-type", "text/plain"]], result: { outcome: "succeeded", status: 200 }, runMs: 12, start: "held", instanceId: "i-1", startMs: 3 };
const frame = (changes: object = {}, body = "answer"): Frame => ({ kind: "answer", head: { ...head, orphan, bodyBytes: body.length, bodyKept: true, ...changes }, body: Buffer.from(body) });

describe("an outcome", () => {
  it("becomes the record that it ends its invocation by", () => {
    expect(recordOfOutcome(readOutcome(frame()), agent, new Date("2026-11-28T10:00:05.000Z"))).toEqual({
      invocationId,
      functionName: "resize",
      revisionId: "resize-r3",
      siteId: "plant",
      agentId: "a1",
      instanceId: "i-1",
      attempt: 2,
      start: "held",
      result: { outcome: "succeeded", status: 200 },
      acceptedAt: "2026-11-28T10:00:00.000Z",
      finishedAt: "2026-11-28T10:00:05.000Z",
      timings: { startMs: 3, runMs: 12, totalMs: 5_000 },
      payloadBytes: 7,
      resultBytes: 6,
      resultKept: true,
      resultHeaders: [["content-type", "text/plain"]],
    });
  });

  it("says how long an answer was that was too large to keep", () => {
    expect(recordOfOutcome(readOutcome(frame({ bodyBytes: 300_000, bodyKept: false }, "")), agent, new Date())).toMatchObject({ resultBytes: 300_000, resultKept: false });
  });

  it("has no negative duration, whatever the clocks say", () => {
    expect(recordOfOutcome(readOutcome(frame()), agent, new Date("2026-11-28T09:59:00.000Z")).timings).toEqual({ startMs: 3, runMs: 12 });
  });

  it.each([
    ["no orphan", { orphan: undefined }],
    ["no result", { complete: false }],
    ["an outcome that is none", { result: { outcome: "perhaps" } }],
    ["no length", { bodyBytes: undefined }],
    ["a length of -1", { bodyBytes: -1 }],
    ["a length that is less than what came", { bodyBytes: 3 }],
    ["a whole body that is not whole", { bodyBytes: 7 }],
    ["no word on whether it is whole", { bodyKept: undefined }],
    ["an id that is none", { orphan: { ...orphan, invocationId: "x.>" } }],
  ])("with %s is refused", (_, changes) => {
    expect(() => readOutcome(frame(changes))).toThrow(expect.objectContaining({ reason: "bad_frame" }));
  });
});
