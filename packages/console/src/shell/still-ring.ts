import { Ring } from "./ring.ts";

/** The latest so many of what is pushed, which a person can hold still to read in while more comes in. */
export class StillRing<T> {
  readonly #ring: Ring<T>;
  #still: readonly T[] | undefined;
  #count = 0;
  #countWhenHeld = 0;

  constructor(capacity: number) {
    this.#ring = new Ring(capacity);
  }

  /** How many came in all. */
  get count(): number {
    return this.#count;
  }

  get isStill(): boolean {
    return this.#still !== undefined;
  }

  /** How many came since it was held still. */
  get behind(): number {
    return this.#still === undefined ? 0 : this.#count - this.#countWhenHeld;
  }

  push(item: T): void {
    this.#count += 1;
    this.#ring.push(item);
  }

  hold(): void {
    this.#still = this.#ring.items();
    this.#countWhenHeld = this.#count;
  }

  release(): void {
    this.#still = undefined;
  }

  clear(): void {
    this.#ring.clear();
    if (this.#still !== undefined) this.#still = [];
  }

  /** Oldest first: as they stood when it was held still, else as they stand. */
  items(): readonly T[] {
    return this.#still ?? this.#ring.items();
  }

  /** Oldest first, as they stand, held still or not. */
  latest(): readonly T[] {
    return this.#ring.items();
  }
}
