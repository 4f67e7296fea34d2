import type { LogLine } from "@longshore/protocol";

/** What a line costs beside its text. */
const lineOverheadBytes = 200;

/** The last lines of one function, bounded by the memory they take. */
export class LogRing {
  readonly #maxBytes: number;
  readonly #followers = new Set<(line: LogLine) => void>();
  #lines: LogLine[] = [];
  /** Lines before this place are dropped; they are cut off together, now and then. */
  #first = 0;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  append(line: LogLine): void {
    this.#lines.push(line);
    this.#bytes += costOf(line);
    while (this.#bytes > this.#maxBytes && this.#first < this.#lines.length) {
      const dropped = this.#lines[this.#first];
      if (dropped !== undefined) this.#bytes -= costOf(dropped);
      this.#first += 1;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#lines.length) {
      this.#lines = this.#lines.slice(this.#first);
      this.#first = 0;
    }
    for (const follower of this.#followers) follower(line);
  }

  /** The last `count` lines that pass, oldest first. */
  tail(count: number, wanted: (line: LogLine) => boolean): LogLine[] {
    const found: LogLine[] = [];
    for (let at = this.#lines.length - 1; at >= this.#first && found.length < count; at -= 1) {
      const line = this.#lines[at];
      if (line !== undefined && wanted(line)) found.push(line);
    }
    return found.reverse();
  }

  /** Calls back with each line from now on, until what it returns is called. */
  follow(follower: (line: LogLine) => void): () => void {
    this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }
}

/** JavaScript strings take one or two bytes a character; two is assumed. */
function costOf(line: LogLine): number {
  return line.line.length * 2 + lineOverheadBytes;
}
