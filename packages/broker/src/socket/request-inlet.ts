import { BodyReader } from "@longshore/protocol";
import type { InvocationHandle } from "../invocation/request.ts";
import { SmallChunks } from "./small-chunks.ts";

/**
 * The request body of one exchange on its way in: checks order and credit, joins tiny chunks that come in one go, pauses when the
 * invocation does, and grants credit only for what the invocation has taken.
 */
export class RequestInlet {
  readonly #handle: InvocationHandle;
  readonly #reader: BodyReader;
  readonly #waiting = new SmallChunks();
  #unreported = 0;
  #isPaused = false;
  #isGathering = false;
  #isOver = false;

  /** `grant` tells the caller that it may send that many more bytes. */
  constructor(handle: InvocationHandle, grant: (bytes: number) => void) {
    this.#handle = handle;
    this.#reader = new BodyReader(grant);
  }

  /** True once the caller has sent its `end`. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes a chunk; throws `bad_frame` on a gap, a repetition or an overrun. */
  push(sequence: number, chunk: Uint8Array): void {
    this.#reader.receive(sequence, chunk.length);
    if (this.#isPaused || this.#isGathering) {
      this.#waiting.append(chunk);
      return;
    }
    this.#forward(chunk);
    if (SmallChunks.isSmall(chunk)) this.#gather();
  }

  /** Takes the end; throws `bad_frame` when chunks are missing. */
  end(sequenceCount: number): void {
    this.#reader.finish(sequenceCount);
    this.#isOver = true;
    this.#flush();
    this.#handle.endRequest();
  }

  /** The invocation has room again. */
  drain(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#reader.consumed(this.#unreported);
    this.#unreported = 0;
    this.#flush();
  }

  /** Nothing more is passed on. */
  stop(): void {
    this.#isOver = true;
    this.#waiting.take();
  }

  /** What else this turn of the event loop brings is passed on as one. */
  #gather(): void {
    this.#isGathering = true;
    setImmediate(() => {
      this.#isGathering = false;
      if (!this.#isPaused && !this.#isOver) this.#flush();
    });
  }

  #flush(): void {
    if (this.#waiting.isEmpty) return;
    for (const chunk of this.#waiting.take()) this.#forward(chunk);
  }

  #forward(chunk: Uint8Array): void {
    if (!this.#handle.write(chunk)) this.#isPaused = true;
    if (this.#isPaused) this.#unreported += chunk.length;
    else this.#reader.consumed(chunk.length);
  }
}
