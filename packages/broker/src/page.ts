import type { PageQuery } from "@longshore/protocol";

/** A part of a listing; `next` is the name to go on behind, where more follow. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | undefined;
}

/** A page of what is in order of its names. Whoever asks page after page sees everything that stays, once, whatever else comes and goes. */
export function pageOf<T>(sorted: readonly T[], nameOf: (item: T) => string, { limit, after }: PageQuery): Page<T> {
  const from = after === undefined ? 0 : firstBehind(sorted, nameOf, after);
  const items = sorted.slice(from, from + limit);
  const last = items.at(-1);
  return { items, next: last !== undefined && from + limit < sorted.length ? nameOf(last) : undefined };
}

/** The position of the first whose name comes behind that one. */
function firstBehind<T>(sorted: readonly T[], nameOf: (item: T) => string, name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && nameOf(item) <= name) low = middle + 1;
    else high = middle;
  }
  return low;
}
