import { formatDuration } from "../terminal/quantity.ts";
import type { FleetNow } from "./fleet-now.ts";

/** Agents tell of themselves every few seconds: where any is, silence means that nothing is heard. */
const silenceMs = 15_000;

/** What is to be known of where the figures come from; undefined: nothing. */
export function noticeOf({ agents, isCaughtUp, heardMs, hasHistory, sinceMs }: FleetNow, nowMs: number): string | undefined {
  if (!isCaughtUp) return "Connecting";
  if (agents.size > 0 && nowMs - heardMs > silenceMs) return `Nothing heard for ${formatDuration(Math.floor((nowMs - heardMs) / 1000) * 1000)}`;
  return hasHistory ? undefined : `Figures since ${new Date(sinceMs).toISOString().slice(11, 19)} UTC: no history`;
}
