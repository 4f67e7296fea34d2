import type { LogLine } from "@longshore/protocol";

/** Lines that wait for their reader; beyond that, whoever brings more waits as well. */
const maxWaiting = 1_000;

/** Lines of many sources, read by one. */
export class LineQueue implements AsyncIterable<LogLine> {
  #lines: LogLine[] = [];
  #isEnded = false;
  #failure: { readonly error: unknown } | undefined;
  #wakeReader: (() => void) | undefined;
  readonly #blocked: (() => void)[] = [];

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Takes a line; the promise resolves when there is room for more. */
  push(line: LogLine): void | Promise<void> {
    if (this.#isEnded) return undefined;
    this.#lines.push(line);
    this.#wakeReader?.();
    if (this.#lines.length < maxWaiting) return undefined;
    return new Promise((resolve) => this.#blocked.push(resolve));
  }

  /** No more lines come; those that wait are still read. */
  end(): void {
    this.#isEnded = true;
    this.#wakeReader?.();
    this.#unblock();
  }

  /** The reader gets that error behind the lines that wait. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogLine> {
    while (true) {
      const lines = this.#lines;
      this.#lines = [];
      this.#unblock();
      yield* lines;
      if (this.#lines.length > 0) continue;
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#isEnded) return;
      await new Promise<void>((resolve) => (this.#wakeReader = resolve));
      this.#wakeReader = undefined;
    }
  }

  #unblock(): void {
    for (const resolve of this.#blocked.splice(0)) resolve();
  }
}
