import { type CronLine, parseCron } from "@longshore/protocol";
import { nextCronTime } from "./cron-times.ts";
import { zoneNamed } from "./zone.ts";

/** When a schedule comes due: by a cron line in a zone, or each so many milliseconds from an anchor on (the anchor itself is none). */
export type Timing = { readonly cron: string; readonly timeZone: string } | { readonly everyMs: number; readonly anchorMs: number };

const lines = new Map<string, CronLine>();
const maxLines = 10_000;

/** The first due time after an instant; all in epoch milliseconds. */
export function nextDue(timing: Timing, afterMs: number): number {
  if ("cron" in timing) return nextCronTime(lineOf(timing.cron), zoneNamed(timing.timeZone), afterMs);
  const { everyMs, anchorMs } = timing;
  return anchorMs + Math.max(1, Math.floor((afterMs - anchorMs) / everyMs) + 1) * everyMs;
}

/** The last due times in (afterMs, untilMs], at most so many, the earliest first. Its cost does not grow with the time between. */
export function lastDues(timing: Timing, afterMs: number, untilMs: number, max: number): number[] {
  for (let windowMs = 60_000; ; windowMs *= 2) {
    const fromMs = Math.max(afterMs, untilMs - windowMs);
    const found: number[] = [];
    for (let due = nextDue(timing, fromMs); due <= untilMs; due = nextDue(timing, due)) found.push(due);
    if (found.length >= max || fromMs === afterMs) return found.slice(-max);
  }
}

/** Lines are read over and over: at each due time, by each broker. */
function lineOf(text: string): CronLine {
  const known = lines.get(text) ?? parseCron(text);
  if (lines.size >= maxLines) lines.clear();
  lines.set(text, known);
  return known;
}
