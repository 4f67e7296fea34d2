import type { InvocationResult } from "@longshore/protocol";
import type { ContractEnding } from "../contracts/contract.ts";
import type { ContainerEvidence } from "../instances/prepared.ts";
import { signalName } from "../instances/signal-name.ts";
import { describeEnd } from "../instances/start-failure.ts";

/** The result of an invocation whose contract came to an end, with what the engine knows of the container. */
export function resultOf(ending: Exclude<ContractEnding, { kind: "refused" }>, evidence: ContainerEvidence | undefined, stderrTail: string | undefined): InvocationResult {
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
