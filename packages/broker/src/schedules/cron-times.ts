import type { CronLine } from "@longshore/protocol";
import type { Zone } from "./zone.ts";

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** No zone sets its clocks back or forward by more than that, but when it changes sides of the date line. */
const shiftMs = 3 * 60 * minuteMs;

/**
 * The first instant after another one at which a cron line comes due.
 *
 * A line that names hours means local times, each once: one that the clocks pass over comes due as they do, one that they show twice comes due
 * the first time. A line for every hour means time as it passes: nothing is passed over, and an hour that is shown twice is two hours.
 */
export function nextCronTime(line: CronLine, zone: Zone, afterMs: number): number {
  return line.hours.size === 24 ? nextPassing(line, zone, afterMs) : nextNamed(line, zone, afterMs);
}

function nextNamed(line: CronLine, zone: Zone, afterMs: number): number {
  let localMs = zone.localOf(afterMs);
  for (;;) {
    localMs = nextLocal(line, localMs);
    const { instantMs } = zone.instantOf(localMs);
    if (instantMs > afterMs) return instantMs;
  }
}

function nextPassing(line: CronLine, zone: Zone, afterMs: number): number {
  const localMs = zone.localOf(afterMs);
  const nearMs = afterMs + nextLocal(line, localMs) - localMs;
  const shift = zone.shiftWithin(afterMs, afterMs + shiftMs);
  if (nearMs < (shift ?? afterMs + shiftMs)) return nearMs;
  if (shift === undefined) return firstShown(line, zone, localMs);
  // From the shift on the clocks show other times, some of them perhaps for the second time.
  const shiftedMs = zone.localOf(shift);
  const behindMs = shift + nextLocal(line, shiftedMs - 1) - shiftedMs;
  return behindMs < shift + shiftMs ? behindMs : firstShown(line, zone, shiftedMs);
}

/** The first local time that the clocks do show. */
function firstShown(line: CronLine, zone: Zone, afterLocalMs: number): number {
  let localMs = afterLocalMs;
  for (;;) {
    localMs = nextLocal(line, localMs);
    const { instantMs, skipped } = zone.instantOf(localMs);
    if (!skipped) return instantMs;
  }
}

/** The first local time after another one that fits the line. There is one: the line was refused otherwise. */
function nextLocal(line: CronLine, afterLocalMs: number): number {
  const fromMs = (Math.floor(afterLocalMs / minuteMs) + 1) * minuteMs;
  for (let dayStartMs = Math.floor(fromMs / dayMs) * dayMs; ; dayStartMs = nextDay(line, dayStartMs)) {
    const found = fitsDay(line, dayStartMs) ? firstOfDay(line, Math.max(0, (fromMs - dayStartMs) / minuteMs)) : undefined;
    if (found !== undefined) return dayStartMs + found * minuteMs;
  }
}

function fitsDay({ days, months, weekdays, eitherDay }: CronLine, dayStartMs: number): boolean {
  const date = new Date(dayStartMs);
  const [isDay, isWeekday] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return months.has(date.getUTCMonth() + 1) && (eitherDay ? isDay || isWeekday : isDay && isWeekday);
}

/** The next day; of a month that does not fit, the first day of the month behind it. */
function nextDay({ months }: CronLine, dayStartMs: number): number {
  const date = new Date(dayStartMs);
  return months.has(date.getUTCMonth() + 1) ? dayStartMs + dayMs : Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** Minutes since midnight. */
function firstOfDay({ hours, minutes }: CronLine, fromMinute: number): number | undefined {
  for (let hour = Math.floor(fromMinute / 60); hour < 24; hour += 1) {
    if (!hours.has(hour)) continue;
    for (let minute = Math.max(0, fromMinute - hour * 60); minute < 60; minute += 1) if (minutes.has(minute)) return hour * 60 + minute;
  }
  return undefined;
}
