/** The right to do something, given to so many at once; whoever waits gets it in turn. */
export class Permits {
  #free: number;
  #isClosed = false;
  readonly #waiting: ((isGiven: boolean) => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Waits for one; false: {@link close} was called, and there is none. */
  async take(): Promise<boolean> {
    if (this.#isClosed) return false;
    if (this.#free === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#free -= 1;
    return true;
  }

  /** Gives one back. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next(true);
  }

  /** Nobody waits, and nobody is given one, from now on. */
  close(): void {
    this.#isClosed = true;
    for (const next of this.#waiting.splice(0)) next(false);
  }

  isClosed(): boolean {
    return this.#isClosed;
  }

  /** Does it with a permit. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    await this.take();
    try {
      return await work();
    } finally {
      this.give();
    }
  }
}
