import type { LongshoreError } from "@longshore/protocol";
import type { InvocationLimits } from "./limits.ts";

/** How an attempt ended without a result. */
export type Failure =
  /** The agent's own word. */
  | { readonly kind: "refused"; readonly error: LongshoreError }
  /** Nobody listened: the order did not arrive. */
  | { readonly kind: "no_responders" }
  /** The agent is not heard any more; the bus went away; what came could not be read. */
  | { readonly kind: "lost" | "bus_down" | "bad_frame" };

/** What decides what comes after a failed attempt. */
export interface Situation {
  /** All sends, and those that failed, this one included; refusals for want of a slot or of the revision are no failures. */
  readonly sends: number;
  readonly failedSends: number;
  readonly limits: Pick<InvocationLimits, "maxSends" | "maxFailedSends">;
  /** The whole request, as far as it came, can be sent once more. */
  readonly canReplay: boolean;
  /** The caller has seen the beginning of an answer. */
  readonly hasAnswered: boolean;
  readonly isIdempotent: boolean;
  /** The revision went along with the order. */
  readonly sentRevision: boolean;
}

/**
 * What to do next: send the revision along to the same agent; try another agent, or wait for one; end with the error; or end with
 * the result `lost`. A function that may have begun is tried again only when it is declared idempotent.
 */
export type Next = "send_revision" | "other_agent" | "fail" | "lost";

/** Refusals that say something of one agent, not of the function: another may well serve. */
const agentsOwn = new Set(["agent_busy", "agent_draining", "engine_unavailable", "image_pull_failed", "disk_full", "image_not_found", "revision_unknown"]);

/** Decides what follows a failed attempt. */
export function afterFailure(failure: Failure, situation: Situation): Next {
  const mayTryAgain = situation.canReplay && !situation.hasAnswered && situation.failedSends < situation.limits.maxFailedSends && situation.sends < situation.limits.maxSends;
  switch (failure.kind) {
    case "refused":
      return afterRefusal(failure.error, situation, mayTryAgain);
    case "no_responders":
      return mayTryAgain ? "other_agent" : "fail";
    case "lost":
    case "bad_frame":
      return mayTryAgain && situation.isIdempotent ? "other_agent" : "lost";
    case "bus_down":
      return "lost";
  }
}

function afterRefusal(error: LongshoreError, situation: Situation, mayTryAgain: boolean): Next {
  const mayHaveBegun = error.phase === "execution" || error.phase === undefined;
  if (mayHaveBegun || situation.hasAnswered || !situation.canReplay) return "fail";
  if (error.reason === "revision_unknown" && !situation.sentRevision) return "send_revision";
  return agentsOwn.has(error.reason) && mayTryAgain ? "other_agent" : "fail";
}
