/** A body that is pushed, as a stream that is pulled: bytes wait here until they are read. */
export class BodySource {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #waiting: Uint8Array[] = [];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  /** A reader waits for bytes. */
  #isWanted = false;
  #isEnded = false;

  /** `consumed` is told of bytes as they are read, `cancelled` when the reader wants no more. */
  constructor(consumed: (byteLength: number) => void, cancelled: () => void) {
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          const bytes = this.#waiting.shift();
          if (bytes !== undefined) {
            this.#controller.enqueue(bytes);
            consumed(bytes.length);
            this.#closeIfDone();
          } else {
            this.#isWanted = true;
          }
        },
        cancel: () => {
          this.#isEnded = true;
          this.#waiting.length = 0;
          cancelled();
        },
      },
      { highWaterMark: 0 },
    );
    this.#consumed = consumed;
  }
  readonly #consumed: (byteLength: number) => void;

  push(bytes: Uint8Array): void {
    if (this.#isEnded || bytes.length === 0) return;
    if (!this.#isWanted) return void this.#waiting.push(bytes);
    this.#isWanted = false;
    this.#controller.enqueue(bytes);
    this.#consumed(bytes.length);
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#closeIfDone();
  }

  fail(error: Error): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#controller.error(error);
  }

  #closeIfDone(): void {
    if (this.#isEnded && this.#waiting.length === 0) this.#controller.close();
  }
}
