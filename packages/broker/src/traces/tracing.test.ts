import type { InvocationRecord, TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { Span } from "./spans.ts";
import { Tracing } from "./tracing.ts";

const record: InvocationRecord = { invocationId: "i", functionName: "f", attempt: 1, result: { outcome: "succeeded" }, acceptedAt: "2026-11-28T12:00:00.000Z", finishedAt: "2026-11-28T12:00:00.010Z", timings: { totalMs: 10 }, payloadBytes: 0, resultBytes: 0, resultKept: false };
const parent = `00-${"a".repeat(32)}-${"b".repeat(16)}`;

function scene(isSampled: (traceId: string) => boolean = () => true) {
  const spans: Span[] = [];
  let next = 0;
  const random = (byteLength: number) => (++next).toString(16).padStart(2 * byteLength, "0");
  const tracing = new Tracing({ outlet: { add: (span) => void spans.push(span), counts: { added: 0, exported: 0, failed: 0 }, close: () => Promise.resolve() }, isSampled, random });
  return { tracing, spans };
}

describe("tracing", () => {
  it("goes on with the caller's trace, recorded where the caller says so", () => {
    const { tracing } = scene(() => false);
    expect(tracing.enter([["traceparent", `${parent}-01`]])).toEqual({ traceId: "a".repeat(32), spanId: "0000000000000001", parentId: "b".repeat(16), isSampled: true });
    expect(tracing.enter([["traceparent", `${parent}-00`]])).toMatchObject({ isSampled: false });
  });

  it("begins one where there is none, recorded or not by its id", () => {
    const { tracing } = scene((traceId) => traceId.endsWith("2"));
    expect(tracing.enter([])).toEqual({ traceId: `${"0".repeat(31)}2`, spanId: "0000000000000001", isSampled: true });
    expect(tracing.enter([])).toMatchObject({ isSampled: false });
  });

  it("tells of what is recorded, and of nothing else", () => {
    const { tracing, spans } = scene();
    tracing.ended("default" as TenantId, record, false);
    tracing.ended("default" as TenantId, { ...record, trace: { traceId: "a", spanId: "b", isSampled: false } }, false);
    expect(spans).toEqual([]);
    tracing.ended("default" as TenantId, { ...record, trace: { traceId: "a", spanId: "b", isSampled: true } }, false);
    expect(spans.map(({ name }) => name)).toEqual(["invoke f", "placement"]);
  });

  it("makes its own random ids of the right length", () => {
    const tracing = new Tracing({ outlet: { add: () => undefined, counts: { added: 0, exported: 0, failed: 0 }, close: () => Promise.resolve() }, isSampled: () => true });
    const [first, second] = [tracing.enter([]), tracing.enter([])];
    expect(first).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/), spanId: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(first.traceId).not.toBe(second.traceId);
  });
});
