import { decodeJson, type FleetEvent, fleetEventSchema, LongshoreError } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import type { SocketLink } from "./socket-link.ts";
import type { SocketKeeper } from "./socket-keeper.ts";
import { linesOnSocket } from "./socket-lines.ts";
import { pause } from "./timer.ts";

/**
 * Everything that happens in a fleet, from every agent as it stands on. When the connection breaks it begins again, with every agent
 * as it stands by then, and tries for as long as that takes; it ends with the signal, or an error that will not pass. Only at the
 * beginning does a broker that cannot be reached end it.
 */
export async function* watchFleet(keeper: SocketKeeper, connectTimeoutMs: number, signal: AbortSignal | undefined): AsyncGenerator<FleetEvent, void> {
  let hasBegun = false;
  for (let failures = 0; ; ) {
    try {
      if (signal?.aborted === true) return;
      const link = keeper.current ?? (await keeper.link(connectTimeoutMs, signal));
      for await (const event of eventsOf(link, signal)) {
        hasBegun = true;
        failures = 0;
        yield event;
      }
      return;
    } catch (error) {
      if (signal?.aborted === true) return;
      if (keeper.isClosed || !hasBegun || !mayPass(error)) throw error;
      failures += 1;
      await pause(backoffMs(failures), signal);
    }
  }
}

/** Whether the same may succeed a little later. */
export const mayPass = (error: unknown): boolean => error instanceof LongshoreError && error.code === "unavailable";

async function* eventsOf(link: SocketLink, signal: AbortSignal | undefined): AsyncGenerator<FleetEvent, void> {
  for await (const line of linesOnSocket(link, { what: "watch" }, signal)) {
    const event = fleetEventSchema.safeParse(decodeJson(line));
    if (event.success) yield event.data; // An event that this build does not know is none of its business.
  }
}
