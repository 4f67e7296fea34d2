/** Values that some make and one takes, in the order in which they were made; ends, or fails, once what was made before is taken. */
export class Outlet<T> {
  readonly #values: T[] = [];
  #last: { readonly error?: unknown } | undefined;
  #wake: () => void = () => undefined;

  put(value: T): void {
    if (this.#last !== undefined) return;
    this.#values.push(value);
    this.#wake();
  }

  end(): void {
    this.#last ??= {};
    this.#wake();
  }

  /** The first failure is told, and nothing after it. */
  fail(error: unknown): void {
    this.#last ??= { error };
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const value = this.#values.shift();
      if (value !== undefined) yield value;
      else if (this.#last === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ("error" in this.#last) throw this.#last.error;
      else return;
    }
  }
}
