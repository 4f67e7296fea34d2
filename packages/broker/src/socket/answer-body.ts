import { BodyWriter } from "@longshore/protocol";
import type { Outlet, Waiting } from "./outlet.ts";

/** What an {@link AnswerBody} tells its exchange. */
export interface AnswerBodySink {
  /** Puts one numbered chunk on the wire; its producer may make as much again. */
  chunk(sequence: number, bytes: Uint8Array): void;
  /** Everything written has been sent. */
  end(sequenceCount: number): void;
}

/** The body of one answer on its way out: under the caller's credit, and only while the socket has room. */
export class AnswerBody implements Waiting {
  readonly #outlet: Outlet;
  readonly #writer: BodyWriter;
  readonly #held: Uint8Array[] = [];
  #isEnding = false;
  /** Called when what was written has all been sent. */
  onDrain: (() => void) | undefined;

  constructor(outlet: Outlet, sink: AnswerBodySink) {
    this.#outlet = outlet;
    this.#writer = new BodyWriter((sequence, bytes) => sink.chunk(sequence, bytes), (sequenceCount) => sink.end(sequenceCount));
    this.#writer.onDrain = () => {
      if (this.#held.length === 0) this.onDrain?.();
    };
  }

  /** Chunks sent so far. */
  get sequenceCount(): number {
    return this.#writer.sequenceCount;
  }

  /** Takes bytes; false when they wait, so that a producer without a window of its own should pause until {@link onDrain}. */
  write(bytes: Uint8Array): boolean {
    if (this.#held.length === 0 && this.#outlet.hasRoom) return this.#writer.write(bytes);
    this.#held.push(bytes);
    this.#outlet.wait(this);
    return false;
  }

  /** The caller has room for that many more bytes. */
  grant(bytes: number): void {
    this.#writer.grant(bytes);
  }

  /** No more bytes come. */
  end(): void {
    this.#isEnding = true;
    if (this.#held.length === 0) this.#writer.end();
  }

  /** Drops what waits; nothing more is sent. */
  abandon(): void {
    this.#outlet.forget(this);
    this.#held.length = 0;
    this.#writer.abandon();
  }

  roomAgain(): void {
    let isWaiting = false;
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      if (!this.#outlet.hasRoom) return this.#outlet.wait(this);
      this.#held.shift();
      isWaiting = !this.#writer.write(next);
    }
    if (this.#isEnding) this.#writer.end();
    else if (!isWaiting) this.onDrain?.();
  }
}
