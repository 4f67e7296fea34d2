import { type FunctionName, LongshoreError } from "@longshore/protocol";

/** Nothing of it ran, and nothing will. */
export function deadlinePassed(functionName: FunctionName): LongshoreError {
  return new LongshoreError("deadline_passed", `Cannot run "${functionName}": its deadline passed before it could begin`, { phase: "placement" });
}

/** It waited as long as it may. */
export function noFreeSlot(functionName: FunctionName): LongshoreError {
  return new LongshoreError("no_free_slot", `Cannot place "${functionName}": every slot stayed taken`, { phase: "placement", retryAfterMs: 1_000 });
}

/** As many of the function wait as may. */
export function backlogFull(functionName: FunctionName, waiting: number): LongshoreError {
  return new LongshoreError("backlog_full", `Cannot place "${functionName}": ${waiting} calls wait for a slot already`, { phase: "placement", retryAfterMs: 1_000 });
}
