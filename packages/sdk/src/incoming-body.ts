import { BodyReader, type Frame } from "@longshore/protocol";

/**
 * A body on its way in: bytes that are pushed, as a stream that is pulled.
 *
 * Invariants: I1 the sender is granted credit only for bytes that were read. I2 what came before a failure is read before it; an
 * abort and a cancelled reader drop it.
 */
export class IncomingBody {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #reader: BodyReader;
  readonly #waiting: Uint8Array[] = [];
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #isWanted = false;
  /** What stands behind the waiting bytes, once it is known. */
  #last: { readonly error?: Error } | undefined;

  /** `send` takes the credit that is granted; `cancelled` is called when the reader wants no more. */
  constructor(send: (credit: Frame) => void, cancelled: () => void) {
    this.#reader = new BodyReader((bytes) => send({ kind: "credit", bytes }));
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#drop();
          cancelled();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Takes a chunk that came; throws `bad_frame` for one out of order or beyond the credit. */
  receive(sequence: number, bytes: Uint8Array): void {
    this.#reader.receive(sequence, bytes.length);
    if (this.#last !== undefined || bytes.length === 0) return;
    this.#waiting.push(bytes);
    if (this.#isWanted) this.#pull();
  }

  /** Checks the count that the sender's end named; throws `bad_frame`. */
  finish(sequenceCount: number): void {
    this.#reader.finish(sequenceCount);
  }

  /** No more comes. */
  end(): void {
    this.#finishWith({});
  }

  /** No more comes, and what came is not the whole. */
  fail(error: Error): void {
    this.#finishWith({ error });
  }

  /** The reader gets the error at once. */
  abort(error: Error): void {
    if (this.#last !== undefined) return;
    this.#drop();
    this.#controller.error(error);
  }

  #pull(): void {
    const bytes = this.#waiting.shift();
    this.#isWanted = bytes === undefined;
    if (bytes === undefined) return;
    this.#controller.enqueue(bytes);
    this.#reader.consumed(bytes.length); // I1
    this.#tellLast();
  }

  #finishWith(last: { readonly error?: Error }): void {
    if (this.#last !== undefined) return;
    this.#last = last;
    this.#tellLast();
  }

  #tellLast(): void {
    if (this.#last === undefined || this.#waiting.length > 0) return; // I2
    if (this.#last.error === undefined) this.#controller.close();
    else this.#controller.error(this.#last.error);
  }

  #drop(): void {
    this.#last = {};
    this.#waiting.length = 0;
  }
}
