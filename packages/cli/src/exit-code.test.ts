import { LongshoreError, outcomes } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { exitCodeOfError, exitCodeOfResult } from "./exit-code.ts";

describe("exitCodeOfResult()", () => {
  it("has one code for each outcome", () => {
    expect(Object.fromEntries(outcomes.map((outcome) => [outcome, exitCodeOfResult({ outcome })]))).toEqual({
      succeeded: 0, failed: 1, oom_killed: 1, timed_out: 4, cancelled: 130, expired: 3, rejected: 3, lost: 5,
    });
  });

  it("takes a rejected invocation's error", () => {
    const error = new LongshoreError("deadline_passed", "x").toShape();
    expect(exitCodeOfResult({ outcome: "rejected", error })).toBe(4);
  });
});

describe("exitCodeOfError()", () => {
  it.each([
    ["bad_schema", undefined, 2],
    ["payload_too_large", undefined, 2],
    ["function_not_found", undefined, 3],
    ["no_agent_eligible", "placement", 3],
    ["no_free_slot", "placement", 3],
    ["connection_lost", "admission", 3],
    ["agent_lost", "startup", 3],
    ["connection_lost", "execution", 5],
    ["deadline_passed", "execution", 4],
    ["caller_gone", "execution", 130],
    ["unexpected", undefined, 3],
  ] as const)("of %s in phase %s is %i", (reason, phase, exitCode) => {
    expect(exitCodeOfError(new LongshoreError(reason, "x", { phase }))).toBe(exitCode);
  });
});
