import type { InvocationRecord } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { hopId } from "./hop-ids.ts";
import { type Span, spansOf } from "./spans.ts";

const at = Date.parse("2026-11-28T12:00:00.000Z");
const iso = (ms: number) => new Date(at + ms).toISOString();
const trace = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "00f067aa0ba902b7", parentId: "b7ad6b7169203331", isSampled: true };
const record = (changes: Partial<InvocationRecord> = {}): InvocationRecord => ({ invocationId: "i-1", functionName: "resize", revisionId: "resize-r2", siteId: "plant", agentId: "a-1", instanceId: "i-9", attempt: 1, start: "warm", result: { outcome: "succeeded", status: 200 }, acceptedAt: iso(0), finishedAt: iso(10), timings: { placementMs: 1, startMs: 2, runMs: 5, totalMs: 10 }, payloadBytes: 0, resultBytes: 0, resultKept: false, ...changes });
const spans = (changes: Partial<InvocationRecord> = {}, isAccepted = false) => spansOf(record(changes), trace, { tenantId: "default", isAccepted });
/** Name, parent's name, and where it stands, milliseconds from arrival. */
const drawn = (all: readonly Span[]) => all.map(({ name, parentId, beginMs, endMs }) => [name, all.find(({ spanId }) => spanId === parentId)?.name, Math.round((beginMs - at) * 1000) / 1000, Math.round((endMs - at) * 1000) / 1000]);

describe("spans of a call", () => {
  it("are one for each hop, inside each other, the agent's where they fit between order and answer", () => {
    expect(drawn(spans())).toEqual([
      ["invoke resize", undefined, 0, 10],
      ["placement", "invoke resize", 0, 1],
      ["attempt", "invoke resize", 1, 10],
      ["start", "attempt", 2, 4],
      ["run", "attempt", 4, 9],
    ]);
  });

  it("are the caller's trace's, and what the function does is beneath the run", () => {
    const [own, , , , run] = spans();
    expect(own).toMatchObject({ kind: "server", spanId: trace.spanId, parentId: trace.parentId, attributes: { "faas.invoked_name": "resize", "faas.version": "resize-r2", "http.response.status_code": 200, "longshore.agent": "a-1", "longshore.mode": "sync" } });
    expect(run).toMatchObject({ traceId: trace.traceId, spanId: hopId(trace, "run", 1), attributes: { "longshore.start": "warm", "longshore.instance": "i-9" } });
  });

  it("say what failed, and where it did not come to a run there is none", () => {
    const error = { code: "resource_exhausted", reason: "no_free_slot", message: "No slot" } as never;
    const { siteId: _, agentId: __, start: ___, ...waited } = record({ attempt: 0, result: { outcome: "rejected", message: "No slot", error }, timings: { totalMs: 10 } });
    const all = spansOf(waited, trace, { tenantId: "default", isAccepted: false });
    expect(drawn(all)).toEqual([["invoke resize", undefined, 0, 10], ["placement", "invoke resize", 0, 10]]);
    expect(all[0]).toMatchObject({ error: "No slot", attributes: { "error.type": "no_free_slot", "longshore.outcome": "rejected" } });
    expect(spans({ result: { outcome: "failed", exitCode: 3 } }).map(({ error: each }) => each)).toEqual(["failed", undefined, "failed", undefined, "failed"]);
    expect(spans({ result: { outcome: "cancelled" } })[0]?.error).toBeUndefined();
  });
});

describe("spans of accepted work", () => {
  const failed = { outcome: "failed" } as const;
  const past = [{ attempt: 1, siteId: "plant", agentId: "a-1", sentAt: iso(100), endedAt: iso(400), result: failed }];

  it("have each attempt as it was sent, and what was waited for it", () => {
    const all = spans({ attempt: 2, sentAt: iso(10_400), past, timings: { startMs: 100, runMs: 300, totalMs: 11_000 }, finishedAt: iso(11_000) }, true);
    expect(all[0]?.kind).toBe("consumer");
    expect(drawn(all)).toEqual([
      ["invoke resize", undefined, 0, 11_000],
      ["attempt", "invoke resize", 100, 400],
      ["placement", "invoke resize", 400, 10_400],
      ["attempt", "invoke resize", 10_400, 11_000],
      ["start", "attempt", 10_500, 10_600],
      ["run", "attempt", 10_600, 10_900],
    ]);
    expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(all.length);
  });

  it("do not take a late answer for a long way there", () => {
    const all = spans({ sentAt: iso(0), timings: { startMs: 0, runMs: 100, totalMs: 60_000 }, finishedAt: iso(60_000) }, true);
    expect(drawn(all).at(-1)).toEqual(["run", "attempt", 250, 350]);
  });

  it("of an older broker's, which says of no sending, end with its run", () => {
    expect(drawn(spans({ timings: { startMs: 1_000, runMs: 2_000, totalMs: 10_000 }, finishedAt: iso(10_000) }, true)).slice(1)).toEqual([
      ["placement", "invoke resize", 0, 7_000],
      ["attempt", "invoke resize", 7_000, 10_000],
      ["start", "attempt", 7_000, 8_000],
      ["run", "attempt", 8_000, 10_000],
    ]);
  });

  it("that expired has waited, and nothing else", () => {
    const { siteId: _, agentId: __, start: ___, ...never } = record({ result: { outcome: "expired" }, timings: { totalMs: 6_000 }, finishedAt: iso(6_000) });
    expect(drawn(spansOf(never, trace, { tenantId: "default", isAccepted: true }))).toEqual([["invoke resize", undefined, 0, 6_000], ["placement", "invoke resize", 0, 6_000]]);
  });
});
