import type { Logger } from "pino";

/** So many are taken away at a time: each is a synced write, and others wait for theirs. */
const atOnce = 2;

/** Takes entries away that a server brought back though they have their records; at leisure, since nobody tries them any more. */
export class GhostRemoval {
  readonly #remove: (sequence: number) => Promise<void>;
  readonly #log: Logger;
  readonly #waiting = new Set<number>();
  #busy = 0;

  /** `remove` takes one away, if it still stands. */
  constructor(remove: (sequence: number) => Promise<void>, log: Logger) {
    this.#remove = remove;
    this.#log = log;
  }

  add(sequence: number): void {
    this.#waiting.add(sequence);
    this.#work();
  }

  /** They are told anew by whoever follows on the next connection. */
  clear(): void {
    this.#waiting.clear();
  }

  #work(): void {
    for (const sequence of this.#waiting) {
      if (this.#busy >= atOnce) return;
      this.#waiting.delete(sequence);
      this.#busy += 1;
      this.#remove(sequence)
        .catch((err: unknown) => this.#log.debug({ err, sequence }, "entry with a record not taken away; it will be"))
        .finally(() => {
          this.#busy -= 1;
          this.#work();
        });
    }
  }
}
