import type { LogLine } from "@longshore/protocol";
import type { LogRing } from "./log-ring.ts";

/** How far a reader has come in one ring. */
interface Cursor {
  /** The number of its next line. */
  next: number;
  /** It reads no further than that. */
  readonly stop: number;
  /** The lines before this one were there when the reading began. */
  readonly caughtUpAt: number;
  /** A word of our own that comes before the next line. */
  mark: LogLine | undefined;
}

export interface ReaderQuery {
  readonly isWanted: (line: LogLine) => boolean;
  /** {@link isWanted} may refuse lines. */
  readonly isFiltered: boolean;
  /** What it lets pass is of this invocation only. */
  readonly invocationId?: string | undefined;
  /** Nothing is said of lines that were cut before that (an `at`). */
  readonly notBefore?: string | undefined;
  readonly tail: number;
  readonly follow: boolean;
}

/**
 * Reads the lines of several rings in order of time, at its own pace. Where lines were cut before it came to them there is a line
 * that says how many.
 */
export class LogReader {
  readonly #query: ReaderQuery;
  readonly #cursors = new Map<LogRing, Cursor>();
  /** Rings that may have a line to read. */
  readonly #ready = new Set<LogRing>();
  /** Rings of which not everything was read that was there at the beginning. */
  readonly #behind = new Set<LogRing>();

  constructor(rings: readonly LogRing[], query: ReaderQuery) {
    this.#query = query;
    for (const start of startsOf(rings, query)) this.#enter(start);
  }

  /** Everything has been read that was there when the reading began. */
  get isCaughtUp(): boolean {
    return this.#behind.size === 0;
  }

  /** A ring that is read from its beginning. */
  add(ring: LogRing): void {
    this.#cursors.set(ring, { next: 0, stop: Number.POSITIVE_INFINITY, caughtUpAt: 0, mark: undefined });
  }

  /** A line came. */
  written(ring: LogRing): void {
    this.#ready.add(ring);
  }

  /** The earliest line that is there to read. */
  next(): LogLine | undefined {
    let earliest: LogLine | undefined;
    let from: LogRing | undefined;
    for (const ring of this.#ready) {
      const line = this.#peek(ring);
      if (line === undefined || (earliest !== undefined && line.at >= earliest.at)) continue;
      earliest = line;
      from = ring;
    }
    if (from !== undefined) this.#pass(from);
    return earliest;
  }

  #enter({ ring, from, isAll }: Start): void {
    const { follow, tail, invocationId, notBefore, isFiltered } = this.#query;
    const { end, lastCut } = ring;
    const cutLines = ring.cutLines(invocationId);
    // Whoever gets as many lines as were asked for misses none.
    const isShort = isAll && tail > 0 && cutLines > 0 && lastCut !== undefined && (notBefore === undefined || lastCut.at >= notBefore);
    const upTo = isFiltered && invocationId === undefined ? "up to " : "";
    const mark = isShort ? markOf(lastCut, `${upTo}${counted(cutLines, "earlier line")} cut here`) : undefined;
    this.#cursors.set(ring, { next: from, stop: follow ? Number.POSITIVE_INFINITY : end, caughtUpAt: end, mark });
    this.#ready.add(ring);
    if (from < end) this.#behind.add(ring);
  }

  /** The next line of one ring; without one it is not ready any more. */
  #peek(ring: LogRing): LogLine | undefined {
    const cursor = this.#cursors.get(ring);
    if (cursor === undefined) return undefined;
    for (; cursor.mark === undefined; cursor.next += 1) {
      if (cursor.next >= cursor.caughtUpAt) this.#behind.delete(ring);
      if (cursor.next < ring.begin) this.#miss(ring, cursor);
      else {
        const line = cursor.next < cursor.stop ? ring.at(cursor.next) : undefined;
        if (line === undefined) {
          this.#ready.delete(ring);
          if (ring.isRetired) this.#cursors.delete(ring);
          return undefined;
        }
        if (this.#query.isWanted(line)) return line;
      }
    }
    return cursor.mark;
  }

  #miss(ring: LogRing, cursor: Cursor): void {
    const missed = ring.begin - cursor.next;
    cursor.next = ring.begin - 1; // The loop goes on with the one after it.
    const { lastCut } = ring;
    if (lastCut !== undefined) cursor.mark = markOf(lastCut, `${this.#query.isFiltered ? "up to " : ""}${counted(missed, "line")} cut here: not read fast enough`);
  }

  #pass(ring: LogRing): void {
    const cursor = this.#cursors.get(ring);
    if (cursor === undefined) return;
    if (cursor.mark === undefined) cursor.next += 1;
    else cursor.mark = undefined;
    if (cursor.next >= cursor.caughtUpAt) this.#behind.delete(ring);
  }
}

/** Where to begin in a ring; `isAll`: no line of it is left out for being too many. */
interface Start {
  readonly ring: LogRing;
  readonly from: number;
  readonly isAll: boolean;
}

/** Where to begin, so that `tail` lines of all rings together are read. */
function startsOf(rings: readonly LogRing[], { tail, isWanted }: ReaderQuery): Start[] {
  const starts = rings.map((ring) => ({ ring, ...ring.tail(tail, isWanted) }));
  if (rings.length <= 1 || tail === 0) return starts;
  const places: { readonly start: Start; readonly number: number; readonly at: string }[] = [];
  for (const start of starts) {
    for (let number = start.from; number < start.ring.end; number += 1) {
      const line = start.ring.at(number);
      if (line !== undefined && isWanted(line)) places.push({ start, number, at: line.at });
    }
  }
  if (places.length <= tail) return starts;
  places.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  const from = new Map<LogRing, number>();
  for (const { start, number } of places.slice(-tail)) from.set(start.ring, Math.min(from.get(start.ring) ?? number, number));
  return rings.map((ring) => ({ ring, from: from.get(ring) ?? ring.end, isAll: false }));
}

/** A line of ours that stands where others were. */
function markOf({ invocationId: _, ...line }: LogLine, text: string): LogLine {
  return { ...line, instanceId: "", stream: "system", line: `… ${text}` };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
