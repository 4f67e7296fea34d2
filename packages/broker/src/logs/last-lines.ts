import type { LogLine } from "@longshore/protocol";

/** What a broker holds of one answer at most. */
const maxBytes = 16 * 1024 * 1024;
const lineOverheadBytes = 400;

/** The last lines, in order of time, of what several agents bring; bounded by number and by memory. */
export class LastLines {
  readonly #count: number;
  readonly #maxBytes: number;
  #lines: LogLine[] = [];
  #bytes = 0;
  #lastCut: LogLine | undefined;
  #cutLines = 0;

  constructor(count: number, bytes = maxBytes) {
    this.#count = count;
    this.#maxBytes = bytes;
  }

  add(line: LogLine): void {
    this.#lines.push(line);
    this.#bytes += costOf(line);
    if (this.#lines.length > 2 * this.#count + 64 || this.#bytes > this.#maxBytes) this.#settle();
  }

  /** All of them, oldest first; a line says so where memory did not allow for as many as were asked for. */
  lines(): LogLine[] {
    this.#settle();
    if (this.#lastCut === undefined || this.#lines.length >= this.#count) return this.#lines;
    const { invocationId: _, ...origin } = this.#lastCut;
    return [{ ...origin, instanceId: "", stream: "system", line: `… ${this.#cutLines} earlier lines cut here: more than one answer holds` }, ...this.#lines];
  }

  #settle(): void {
    this.#lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    let from = Math.max(0, this.#lines.length - this.#count);
    this.#bytes = this.#lines.slice(from).reduce((sum, line) => sum + costOf(line), 0);
    // Half at once, or every further line would sort them all again.
    const goal = this.#bytes > this.#maxBytes ? this.#maxBytes / 2 : Number.POSITIVE_INFINITY;
    for (; this.#bytes > goal; from += 1) {
      this.#lastCut = this.#lines[from];
      this.#cutLines += 1;
      this.#bytes -= costOf(this.#lines[from]);
    }
    this.#lines = this.#lines.slice(from);
  }
}

function costOf(line: LogLine | undefined): number {
  return line === undefined ? 0 : line.line.length * 2 + lineOverheadBytes;
}
