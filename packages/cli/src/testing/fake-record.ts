import type { InvocationRecord } from "@longshore/protocol";

/** The record of the nth invocation: of `resize` at plant/plant-1, warm, succeeded n seconds after noon after 38 ms. */
export function invocationRecord(nth: number, overrides: Partial<InvocationRecord> = {}): InvocationRecord {
  const finishedMs = Date.parse("2026-11-25T12:00:00.000Z") + nth * 1_000;
  return {
    invocationId: `0197a7c6-5f3e-7b12-9c58-${String(nth).padStart(12, "0")}`, functionName: "resize", revisionId: "resize-r3", siteId: "plant", agentId: "plant-1", instanceId: "i-00abc123", attempt: 1, start: "warm",
    result: { outcome: "succeeded" }, acceptedAt: new Date(finishedMs - 38).toISOString(), finishedAt: new Date(finishedMs).toISOString(), timings: { placementMs: 2, startMs: 6, runMs: 28, totalMs: 38 },
    payloadBytes: 18, resultBytes: 2, resultKept: true,
    ...overrides,
  };
}
