const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1.5 GiB`; three digits at most before the unit. */
export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : trimmed(value, value >= 9.995 ? 1 : 2)} ${units[unit] ?? ""}`;
}

/** `0.42 ms`, `38 ms`, `1.25 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function formatMs(ms: number): string {
  if (ms < 9.995) return `${trimmed(ms, 2)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${trimmed(ms / 1000, ms < 9_995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, "min", "s");
  const minutes = Math.round(seconds / 60);
  return minutes < 1440 ? pair(minutes, 60, "h", "min") : pair(Math.round(minutes / 60), 24, "d", "h");
}

function pair(value: number, base: number, large: string, small: string): string {
  const rest = value % base;
  return `${Math.floor(value / base)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** `7`, `12,045`, `123.5 k`, `4.5 M`. */
export function formatCount(count: number): string {
  if (count < 100_000) return Number.isInteger(count) ? count.toLocaleString("en") : trimmed(count, count < 10 ? 2 : count < 1000 ? 1 : 0);
  return count < 999_950 ? `${trimmed(count / 1000, 1)} k` : `${trimmed(count / 1_000_000, 1)} M`;
}

/** A rate: `0.05/s`, `12/s`. */
export function formatPerSecond(rate: number): string {
  return `${formatCount(Math.round(rate * 1000) / 1000)}/s`;
}

/** How long ago that was: `now`, `12 s ago`. */
export function formatAgo(thenMs: number, nowMs: number): string {
  const ms = nowMs - thenMs;
  return ms < 1500 ? "now" : `${formatMs(Math.max(1000, Math.round(ms / 1000) * 1000))} ago`;
}

const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
const day = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

/** The local time of a moment, with milliseconds; what is no moment as it stands. */
export function formatTime(moment: string | number): string {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? String(moment) : time.format(date);
}

/** The same with its day. */
export function formatMoment(moment: string | number): string {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? String(moment) : `${day.format(date)} ${time.format(date)}`;
}

/** Without zeros behind the point. */
const trimmed = (value: number, digits: number): string => (digits === 0 ? value.toFixed(0) : value.toFixed(digits).replace(/\.?0+$/, ""));
