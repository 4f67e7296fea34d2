/** Remembers the latest keys, at least `minCount` of them and at most twice as many. */
export class RecentKeys {
  readonly #minCount: number;
  #current = new Set<string>();
  #previous = new Set<string>();

  constructor(minCount = 16_384) {
    this.#minCount = minCount;
  }

  /** Adds a key; false when it is remembered already. */
  add(key: string): boolean {
    if (this.#current.has(key) || this.#previous.has(key)) return false;
    if (this.#current.size >= this.#minCount) {
      this.#previous = this.#current;
      this.#current = new Set();
    }
    this.#current.add(key);
    return true;
  }
}
