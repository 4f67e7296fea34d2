import { pause, systemClock } from "../clock.ts";
import { type ContainerState, EngineError } from "./engine.ts";
import { isNotFound } from "./failure.ts";

/** What waiting for an exit asks of an engine. */
export interface ExitSource {
  /** Resolves with the exit code once the container is not running; `not_found` when it is gone. */
  wait(): Promise<number>;
  inspect(): Promise<ContainerState | undefined>;
}

const retryMaxMs = 2_000;

/**
 * Resolves once a container is not running, whoever ended it. Rides out an engine that is away, since only the engine knows; a
 * container removed from outside keeps the exit code if the engine still said it, and else has none.
 */
export async function waitExit(source: ExitSource, retryMs = 100, clock = systemClock): Promise<ContainerState> {
  let exitCode: number | undefined;
  for (let pauseMs = retryMs; ; pauseMs = Math.min(pauseMs * 2, retryMaxMs)) {
    try {
      exitCode ??= await source.wait();
      return (await source.inspect()) ?? goneState(exitCode);
    } catch (error) {
      if (isNotFound(error)) return goneState(exitCode);
      if (!(error instanceof EngineError && error.failure === "unreachable")) throw error;
      await pause(clock, pauseMs);
    }
  }
}

function goneState(exitCode: number | undefined): ContainerState {
  return { running: false, exitCode, oomKilled: false, error: undefined, ip: undefined };
}
