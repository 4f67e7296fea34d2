import { pause, systemClock } from "../clock.ts";
import { callLimits, containerPath, type DockerApi } from "./docker-api.ts";
import { waitFor } from "./docker-wait.ts";
import { EngineError } from "./engine.ts";
import { isNotFound } from "./failure.ts";

const attempts = 3;
const retryMs = 300;

/**
 * Kills and removes a container with its anonymous volumes; resolves once it is gone. A removal that is under way already is waited
 * for; one that fails inside the engine is tried again, since a mount may be busy for a moment after its last process.
 */
export async function removeContainer(api: DockerApi, id: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await removeOnce(api, id);
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (attempt === attempts || !(error instanceof EngineError && error.failure === "internal")) throw error;
      await pause(systemClock, retryMs * attempt);
    }
  }
}

async function removeOnce(api: DockerApi, id: string): Promise<void> {
  try {
    await api.call(`Cannot remove container "${id}"`, { method: "DELETE", path: containerPath(id), query: { force: true, v: true } }, callLimits.workMs);
  } catch (error) {
    if (!(error instanceof EngineError && error.failure === "conflict")) throw error;
    await waitFor(api, id, "removed", AbortSignal.timeout(callLimits.workMs));
  }
}
