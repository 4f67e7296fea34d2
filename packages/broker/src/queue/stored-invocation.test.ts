import { describe, expect, it } from "vitest";
import type { AgentAddress, FunctionName } from "@longshore/protocol";
import { readStored, recordWithoutAnswer, sentTo, storedOf, takenBack, withPast } from "./stored-invocation.ts";

const at = new Date("2026-11-28T10:00:00.000Z");
const later = new Date("2026-11-28T10:00:07.000Z");
const agent = { siteId: "plant", agentId: "a1" } as AgentAddress;
const accepted = () => storedOf({ functionName: "resize" as FunctionName, request: { method: "POST", target: "/", headers: [["a", "b"]] }, where: { labels: { gpu: "true" } }, timeoutMs: undefined, body: new Uint8Array(5) }, at);
const again = (value: unknown) => readStored(JSON.parse(JSON.stringify(value)), "i1");
const names = { invocationId: "i1", functionName: "resize", attempt: 2 };

describe("an accepted invocation", () => {
  it("is read as it was written", () => {
    const stored = withPast(sentTo(accepted(), agent, { revisionId: "resize-r1" }, at), { attempt: 1, siteId: "plant", agentId: "a1", endedAt: later.toISOString(), result: { outcome: "failed", exitCode: 3 } });
    expect(again(stored)).toEqual(stored);
    expect(again(accepted())).toEqual({ ...accepted(), rejections: 0, past: [] });
  });

  it("knows who has it, and how often nobody took it since it last began", () => {
    const sent = sentTo(accepted(), agent, { revisionId: "resize-r1" }, at);
    expect(sent.sent).toEqual({ siteId: "plant", agentId: "a1", revisionId: "resize-r1", sentAt: at.toISOString() });
    const refused = takenBack(takenBack(sent));
    expect([refused.sent, refused.rejections]).toEqual([undefined, 2]);
    const ended = withPast(sent, { attempt: 1, siteId: "plant", agentId: "a1", endedAt: later.toISOString(), result: { outcome: "timed_out" } });
    expect([ended.sent, ended.rejections, ended.past.length]).toEqual([undefined, 0, 1]);
  });

  it("is refused, by its id, when another version wrote what this one cannot read", () => {
    expect(() => again({ ...accepted(), request: { method: 7 } })).toThrow(expect.objectContaining({ reason: "unexpected", message: expect.stringContaining("i1") }));
    expect(again({ ...accepted(), somethingNew: 1 })).toEqual(accepted());
  });

  it("ends without an answer in a record that says who had it", () => {
    const result = { outcome: "expired" } as const;
    expect(recordWithoutAnswer(accepted(), names, result, later)).toMatchObject({ ...names, result, timings: { totalMs: 7_000 }, payloadBytes: 5, resultBytes: 0 });
    expect(recordWithoutAnswer(sentTo(accepted(), agent, { revisionId: "resize-r1" }, at), names, { outcome: "lost" }, later)).toMatchObject({ siteId: "plant", agentId: "a1", revisionId: "resize-r1" });
  });
});
