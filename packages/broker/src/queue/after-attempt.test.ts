import { LongshoreError, type Reason } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { afterAttempt, mostAttempts } from "./after-attempt.ts";

const rules = { idempotent: false, retry: "default" } as const;
const at = { begun: 1, endedAtMs: 1_000_000, expiresAtMs: 100_000_000 };
const rejected = (reason: Reason) => ({ outcome: "rejected", error: new LongshoreError(reason, "Cannot", { phase: "placement" }).toShape() }) as const;

describe("afterAttempt()", () => {
  it.each(["succeeded", "cancelled", "expired"] as const)("ends with %s", (outcome) => {
    expect(afterAttempt({ ...at, result: { outcome } }, 0, { ...rules, idempotent: true })).toEqual({ next: "end" });
  });

  it.each(["failed", "timed_out", "oom_killed"] as const)("repeats what %s after 10 and 60 seconds, and ends after three attempts", (outcome) => {
    const after = (begun: number) => afterAttempt({ ...at, begun, result: { outcome } }, 0, rules);
    expect(after(1)).toEqual({ next: "again", notBeforeMs: 1_010_000 });
    expect(after(2)).toEqual({ next: "again", notBeforeMs: 1_060_000 });
    expect(after(mostAttempts)).toEqual({ next: "end" });
  });

  it("repeats no failure of a function that says never", () => {
    for (const outcome of ["failed", "timed_out", "oom_killed", "lost"] as const) {
      expect(afterAttempt({ ...at, result: { outcome } }, 0, { idempotent: true, retry: "never" })).toEqual({ next: "end" });
    }
  });

  it("repeats a lost attempt of an idempotent function alone", () => {
    expect(afterAttempt({ ...at, result: { outcome: "lost" } }, 0, rules)).toEqual({ next: "end" });
    expect(afterAttempt({ ...at, result: { outcome: "lost" } }, 0, { ...rules, idempotent: true })).toMatchObject({ next: "again" });
  });

  it("repeats what was out of time and may still be running, in an instance of many, of an idempotent function alone", () => {
    const result = { outcome: "timed_out", stopProven: false } as const;
    expect(afterAttempt({ ...at, result }, 0, rules)).toEqual({ next: "end" });
    expect(afterAttempt({ ...at, result }, 0, { ...rules, idempotent: true })).toMatchObject({ next: "again" });
  });

  it("repeats what never began sooner and then less often, whatever the function says", () => {
    const after = (rejections: number) => afterAttempt({ ...at, result: rejected("no_agent_eligible") }, rejections, { idempotent: false, retry: "never" });
    expect([0, 1, 2, 3, 4, 50].map((rejections) => after(rejections))).toEqual([1, 2, 5, 10, 30, 30].map((seconds) => ({ next: "again", notBeforeMs: 1_000_000 + seconds * 1_000 })));
  });

  it("ends what no change of the fleet puts right", () => {
    for (const reason of ["payload_too_large", "function_not_found", "not_allowed", "contract_unimplemented"] as const) {
      expect(afterAttempt({ ...at, result: rejected(reason) }, 0, rules)).toEqual({ next: "end" });
    }
  });

  it("ends where the next attempt would come too late", () => {
    expect(afterAttempt({ ...at, expiresAtMs: 1_009_999, result: { outcome: "failed" } }, 0, rules)).toEqual({ next: "end" });
    expect(afterAttempt({ ...at, expiresAtMs: 1_000_500, result: rejected("no_free_slot") }, 0, rules)).toEqual({ next: "end" });
  });
});
