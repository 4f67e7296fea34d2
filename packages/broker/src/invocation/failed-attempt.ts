import { type InvocationResult, LongshoreError } from "@longshore/protocol";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Failure } from "./retry.ts";

/** The error that a failed attempt leaves when nothing is tried any more. */
export function errorOfFailure(failure: Failure, agent: AgentEntry): LongshoreError {
  const { agentId } = agent.address;
  switch (failure.kind) {
    case "refused":
      return failure.error;
    case "no_responders":
      return new LongshoreError("agent_lost", `Cannot reach agent "${agentId}": it is not connected`, { phase: "placement", retryAfterMs: 1_000 });
    case "lost":
      return new LongshoreError("agent_lost", `Cannot tell what became of the run: agent "${agentId}" is not heard any more`, { phase: "execution" });
    case "bus_down":
      return new LongshoreError("bus_down", `Cannot tell what became of the run at agent "${agentId}": the bus went away`, { phase: "execution" });
    case "bad_frame":
      return new LongshoreError("bad_frame", `Cannot tell what became of the run: the answer of agent "${agentId}" could not be read`, { phase: "execution" });
  }
}

/** The result of a run whose end nobody can tell. */
export function lostResult(failure: Failure, agent: AgentEntry): InvocationResult {
  const error = errorOfFailure(failure, agent);
  return { outcome: "lost", message: error.message, error: error.toShape() };
}

/** True when the failure proves that the function had not begun. */
export function isNotBegun(failure: Failure): boolean {
  if (failure.kind === "no_responders") return true;
  return failure.kind === "refused" && failure.error.phase !== undefined && failure.error.phase !== "execution";
}
