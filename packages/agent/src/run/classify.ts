import { type InvocationResult, LongshoreError } from "@longshore/protocol";
import type { ContractEnding } from "../contracts/contract.ts";
import { signalName } from "../hold/signal-name.ts";
import type { ContainerEvidence } from "../instances/prepared.ts";
import { describeEnd } from "../instances/start-failure.ts";

/** An ending that gives a result and is no success. */
export type FailedEnding = Exclude<ContractEnding, { kind: "refused" }>;

/** A shell's exit code for a child that SIGKILL ended. */
const killedExitCode = 128 + 9;

/** The ending alone does not tell whether memory was the cause: the engine may, in a moment. */
export function mayBeOutOfMemory(ending: FailedEnding): boolean {
  if (ending.kind === "broken") return true;
  const { outcome, signal, exitCode } = ending.result;
  return outcome === "failed" && (signal === "SIGKILL" || exitCode === killedExitCode);
}

/**
 * The result of an invocation whose instance the agent was ending: what the function itself answered counts, but that its connection
 * broke or a signal ended it was not its own doing.
 */
export function resultOfStopped(ending: FailedEnding, stderrTail: string | undefined): InvocationResult {
  if (ending.kind === "finished" && ending.result.signal === undefined) return resultOf(ending, undefined, stderrTail);
  const message = "The agent was stopped while the function ran";
  return { outcome: "lost", message, error: new LongshoreError("agent_lost", message, { phase: "execution" }).toShape(), ...(stderrTail !== undefined && { stderrTail }) };
}

/** The result of an invocation whose contract came to an end, with what the engine knows of the container. */
export function resultOf(ending: FailedEnding, evidence: ContainerEvidence | undefined, stderrTail: string | undefined): InvocationResult {
  const result = ending.kind === "finished" ? ending.result : brokenResult(ending.message, evidence);
  if (result.outcome === "succeeded") return result;
  const isOutOfMemory = result.outcome === "failed" && evidence?.sawOutOfMemory === true;
  return {
    ...result,
    ...(isOutOfMemory && { outcome: "oom_killed" as const, message: "A process of the instance ran out of memory" }),
    ...(stderrTail !== undefined && { stderrTail }),
  };
}

/** The connection or the streams broke: how the container ended says why, where it did. */
function brokenResult(message: string, evidence: ContainerEvidence | undefined): InvocationResult {
  const exit = evidence?.exit;
  if (exit === undefined) return { outcome: "failed", message };
  const signal = exit.exitCode === undefined ? undefined : signalName(exit.exitCode - 128);
  return {
    outcome: exit.oomKilled ? "oom_killed" : "failed",
    message: `${message}: ${describeEnd(exit)}`,
    ...(exit.exitCode !== undefined && signal === undefined && { exitCode: exit.exitCode }),
    ...(signal !== undefined && { signal }),
  };
}
