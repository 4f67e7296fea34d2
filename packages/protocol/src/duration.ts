import { LongshoreError } from "./error.ts";

const durationUnitsMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const sizeUnitsBytes: Record<string, number> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, KB: 1e3, MB: 1e6, GB: 1e9 };

/** Reads a length of time as people write it (`250ms`, `30s`, `5m`, `1h`) into whole milliseconds; throws naming the field. */
export function parseDuration(text: string, field: string): number {
  return parseQuantity(text, field, durationUnitsMs, "a whole number with ms, s, m, h or d, as 30s");
}

/** Reads a size as people write it (`64KiB`, `256MiB`, `1GiB`, `500MB`) into bytes; throws naming the field. */
export function parseSize(text: string, field: string): number {
  return parseQuantity(text, field, sizeUnitsBytes, "a whole number with B, KiB, MiB, GiB, KB, MB or GB, as 256MiB");
}

function parseQuantity(text: string, field: string, units: Record<string, number>, expected: string): number {
  const match = /^(\d{1,15})([A-Za-z]+)$/.exec(text.trim());
  const unit = match?.[2] === undefined ? undefined : Object.hasOwn(units, match[2]) ? units[match[2]] : undefined;
  if (match === null || unit === undefined) {
    throw new LongshoreError("bad_schema", `Cannot read ${field} ${JSON.stringify(text.slice(0, 40))}: expected ${expected}`, { field });
  }
  return Number(match[1]) * unit;
}
