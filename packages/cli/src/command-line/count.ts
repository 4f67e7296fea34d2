import { UsageError } from "./usage-error.ts";

/** Reads a whole number from 0 to `max`; throws UsageError naming the option. */
export function readCount(text: string, option: string, max: number): number {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= max)) throw new UsageError(`Cannot read ${option} ${JSON.stringify(text.slice(0, 40))}: expected a whole number from 0 to ${max}`);
  return count;
}
