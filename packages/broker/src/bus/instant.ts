/**
 * A time to the nanosecond, always in the same 30 characters (`2026-11-28T20:04:01.000000001Z`), so that instants compare as their texts do.
 * Takes RFC 3339 with any offset and any number of decimals; what is finer is cut off. Throws `RangeError` for what is no time.
 */
export function instantOf(text: string): string {
  const decimals = /\.(\d+)/.exec(text)?.[1] ?? "";
  const second = new Date(text.replace(/\.\d+/, "")).toISOString().slice(0, 19);
  return `${second}.${decimals.slice(0, 9).padEnd(9, "0")}Z`;
}
