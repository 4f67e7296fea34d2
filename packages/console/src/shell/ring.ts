/** The latest so many of what is pushed: memory stays bounded however long a page is open. */
export class Ring<T> {
  readonly #capacity: number;
  #items: T[] = [];
  /** How many were pushed out. */
  dropped = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get length(): number {
    return Math.min(this.#items.length, this.#capacity);
  }

  push(item: T): void {
    if (this.#items.length >= this.#capacity) this.dropped += 1;
    this.#items.push(item);
    // Cut in large steps, so that a push costs the same on average.
    if (this.#items.length >= this.#capacity * 2) this.#items = this.#items.slice(-this.#capacity);
  }

  clear(): void {
    this.#items = [];
    this.dropped = 0;
  }

  /** Oldest first. */
  items(): readonly T[] {
    return this.#items.length > this.#capacity ? this.#items.slice(-this.#capacity) : this.#items.slice();
  }

  find(isIt: (item: T) => boolean): T | undefined {
    return this.items().findLast(isIt);
  }
}
