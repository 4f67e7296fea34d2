import { type Clock, pause } from "../clock.ts";
import type { ContainerId, Engine } from "../engine/engine.ts";
import type { Logger } from "../log.ts";
import type { ContainerFate } from "./fates.ts";

const firstRetryMs = 200;
const longestRetryMs = 5_000;

/** Sends the stop signal, once, and waits until the container has exited or its grace is over. */
export async function stopContainer(stop: { engine: Pick<Engine, "signal">; clock: Clock; log: Logger; fate: ContainerFate; id: ContainerId; signal: string; graceMs: number }): Promise<void> {
  try {
    await stop.engine.signal(stop.id, stop.signal);
  } catch (error) {
    stop.log.warn({ err: error, containerId: stop.id }, "stop signal not sent");
    return; // It is killed instead.
  }
  const waiting = new AbortController();
  await Promise.race([stop.fate.exited, pause(stop.clock, stop.graceMs, waiting.signal)]);
  waiting.abort();
}

/** Kills and removes a container, however often that has to be tried: what it takes is not free before it is gone. */
export async function removeForSure({ engine, clock, log }: { engine: Pick<Engine, "removeContainer">; clock: Clock; log: Logger }, id: ContainerId): Promise<void> {
  for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
    try {
      return await engine.removeContainer(id);
    } catch (error) {
      log.warn({ err: error, containerId: id, retryMs }, "container not removed");
      await pause(clock, retryMs);
    }
  }
}
