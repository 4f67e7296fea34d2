import { LongshoreError, type Reason } from "@longshore/protocol";
import { EngineError } from "../engine/engine.ts";

type Phase = "placement" | "startup";

/**
 * Why an image could not be had, as an error of ours: `image_not_found`, `registry_denied`, `wrong_architecture`, `engine_unavailable`, else
 * `image_pull_failed`, with the account of who refused.
 */
export function pullFailure(error: unknown, action: string, phase: Phase): LongshoreError {
  if (!(error instanceof EngineError)) return LongshoreError.from(error, action).at(phase);
  const reason = reasonOf(error);
  if (reason === "engine_unavailable") return new LongshoreError(reason, `${action}: the container engine does not answer`, { phase, cause: error });
  // The engine's account names the action that failed; for a start that is only the cause.
  return new LongshoreError(reason, phase === "placement" ? error.message : `${action}: ${error.message}`, { phase, cause: error });
}

function reasonOf({ failure }: EngineError): Reason {
  if (failure === "unreachable") return "engine_unavailable";
  if (failure === "not_found") return "image_not_found";
  if (failure === "denied") return "registry_denied";
  return failure === "wrong_architecture" ? "wrong_architecture" : "image_pull_failed";
}
