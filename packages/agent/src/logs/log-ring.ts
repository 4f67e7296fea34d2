import type { LogLine } from "@longshore/protocol";

/** What a line costs beside its text. */
const lineOverheadBytes = 200;
/** Of so many invocations it is remembered that lines of theirs were cut. */
const maxInvocationsCut = 256;

/**
 * The last lines of one function, bounded by the memory they take. Lines are numbered from 0 as they come; those before `begin` were
 * cut. Readers keep a number each and nothing else: a slow one costs no memory, it finds that lines were cut.
 */
export class LogRing {
  readonly #maxBytes: number;
  #lines: (LogLine | undefined)[] = [];
  /** The number of `#lines[0]`; cut lines at its beginning are taken off together, now and then. */
  #offset = 0;
  #begin = 0;
  #bytes = 0;
  #lastCut: LogLine | undefined;
  #isRetired = false;
  readonly #cutOf = new Map<string, number>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The number of the first line that is kept: so many were cut. */
  get begin(): number {
    return this.#begin;
  }

  /** The number that the next line will get. */
  get end(): number {
    return this.#offset + this.#lines.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The latest line that was cut. */
  get lastCut(): LogLine | undefined {
    return this.#lastCut;
  }

  append(line: LogLine): void {
    this.#lines.push(line);
    this.#bytes += costOf(line);
    while (this.#bytes > this.#maxBytes) this.cutFirst();
  }

  /** The line of that number, while it is kept. */
  at(number: number): LogLine | undefined {
    return number < this.#begin ? undefined : this.#lines[number - this.#offset];
  }

  /** Forgets the oldest line; false when there is none. */
  cutFirst(): boolean {
    const place = this.#begin - this.#offset;
    const line = this.#lines[place];
    if (line === undefined) return false;
    this.#lines[place] = undefined;
    this.#begin += 1;
    this.#bytes -= costOf(line);
    this.#remember(line);
    if (place > 1024 && place * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(place + 1);
      this.#offset = this.#begin;
    }
    return true;
  }

  /** How many lines were cut; of one invocation, if it is one of the last of which any were. */
  cutLines(invocationId?: string): number {
    return invocationId === undefined ? this.#begin : (this.#cutOf.get(invocationId) ?? 0);
  }

  /** From which number on `count` lines pass, and whether those are all there are (fewer). */
  tail(count: number, isWanted: (line: LogLine) => boolean): { readonly from: number; readonly isAll: boolean } {
    if (count === 0) return { from: this.end, isAll: false };
    let found = 0;
    for (let number = this.end - 1; number >= this.#begin; number -= 1) {
      const line = this.at(number);
      if (line !== undefined && isWanted(line)) found += 1;
      if (found === count) return { from: number, isAll: false };
    }
    return { from: this.#begin, isAll: true };
  }

  /** Forgets every line for good; whoever still had lines to read finds that they were cut. */
  retire(): void {
    while (this.cutFirst());
    this.#isRetired = true;
  }

  /** Nothing comes to it any more. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  #remember(line: LogLine): void {
    this.#lastCut = line;
    const { invocationId } = line;
    if (invocationId === undefined) return;
    const count = (this.#cutOf.get(invocationId) ?? 0) + 1;
    this.#cutOf.delete(invocationId);
    this.#cutOf.set(invocationId, count);
    if (this.#cutOf.size <= maxInvocationsCut) return;
    for (const oldest of this.#cutOf.keys()) {
      this.#cutOf.delete(oldest);
      return;
    }
  }
}

/** JavaScript strings take one or two bytes a character; two is assumed. */
function costOf(line: LogLine): number {
  return line.line.length * 2 + lineOverheadBytes;
}
