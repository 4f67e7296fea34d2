import { LongshoreError, type Reason } from "@longshore/protocol";
import { EngineError } from "../engine/engine.ts";

/** What went wrong at the engine as an error of ours: `engine_unavailable` when it could not be reached, else `reason` with the engine's own account. */
export function engineFailure(error: unknown, action: string, reason: Reason): LongshoreError {
  if (error instanceof LongshoreError) return error;
  if (!(error instanceof EngineError)) return LongshoreError.from(error, action).at("startup");
  const isAway = error.failure === "unreachable";
  return new LongshoreError(isAway ? "engine_unavailable" : reason, `${action}: ${isAway ? "the container engine does not answer" : error.message}`, { phase: "startup", cause: error });
}
