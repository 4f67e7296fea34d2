import type { Logger } from "pino";

/**
 * After each it rests so many times as long as that took: each is a synced write, and others wait for theirs. After a restart there may be tens
 * of thousands, on a server that has enough to do.
 */
const restFactor = 19;

/** Takes entries away that a server brought back though they have their records; at leisure, since nobody tries them any more. */
export class GhostRemoval {
  readonly #remove: (sequence: number) => Promise<void>;
  readonly #log: Logger;
  readonly #waiting = new Set<number>();
  #isAtIt = false;

  /** `remove` takes one away, if it still stands. */
  constructor(remove: (sequence: number) => Promise<void>, log: Logger) {
    this.#remove = remove;
    this.#log = log;
  }

  add(sequence: number): void {
    this.#waiting.add(sequence);
    if (!this.#isAtIt) void this.#work();
  }

  /** They are told anew by whoever follows on the next connection. */
  clear(): void {
    this.#waiting.clear();
  }

  async #work(): Promise<void> {
    this.#isAtIt = true;
    for (const sequence of this.#waiting) {
      this.#waiting.delete(sequence);
      const beganMs = performance.now();
      await this.#remove(sequence).catch((err: unknown) => this.#log.debug({ err, sequence }, "entry with a record not taken away; it will be"));
      await rest(restFactor * (performance.now() - beganMs));
    }
    this.#isAtIt = false;
  }
}

/** Does not keep a process from ending. */
function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
