import { type InvocationResult, LongshoreError } from "@longshore/protocol";
import type { StoredInvocation } from "./stored-invocation.ts";

/** Of what was cancelled while it was with nobody. */
export const cancelled: InvocationResult = { outcome: "cancelled", message: "It was cancelled before it began" };
/** Of what came to its end without a place. */
export const expired: InvocationResult = { outcome: "expired", message: "It was not begun before its time was over" };

/** Of what could not begin, for that reason. */
export function rejected(error: LongshoreError): InvocationResult {
  return { outcome: "rejected", message: error.message, error: error.toShape() };
}

/** Whoever had it did not say what became of it. */
export function unheard({ sent, webhook }: StoredInvocation): InvocationResult {
  const message = webhook === undefined ? `Agent "${sent?.agentId ?? ""}" did not say in time what became of it` : "The broker that delivered it did not say in time what became of it";
  return { outcome: "lost", message, error: new LongshoreError("agent_lost", message, { phase: "execution" }).toShape() };
}
