import type { AnswerEnd, AnswerHead } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { RunReply } from "./sink.ts";

/** An answer of at most this travels as one message, head, body and result together. */
const wholeBytes = 64 * 1024;

/**
 * Puts an answer together: one whose end follows at once goes out whole, with its result in front; a longer one goes out as it
 * comes. Where the contract has no status (stdio) the beginning is held for a moment, so that a program that fails soon after its
 * first words is told by the status and not only by the trailer.
 */
export class Answer {
  readonly #reply: RunReply;
  readonly #clock: Clock;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #head: AnswerHead | undefined;
  #isSent = false;
  #cancelFlush: (() => void) | undefined;

  constructor(reply: RunReply, clock: Clock) {
    this.#reply = reply;
    this.#clock = clock;
  }

  /** The function began to answer. */
  get hasBegun(): boolean {
    return this.#head !== undefined;
  }

  /** `bodyBytes` where the length is known; `settleMs` is how long the beginning may be held. */
  begin(head: AnswerHead, bodyBytes: number | undefined, settleMs: number): void {
    this.#head = head;
    if (bodyBytes !== undefined && bodyBytes <= wholeBytes) return;
    if (bodyBytes !== undefined || head.status === 101) return void this.#flush();
    const flush = () => void this.#flush();
    this.#cancelFlush = settleMs > 0 ? this.#clock.after(settleMs, flush) : soon(flush);
  }

  /** False when the producer should pause. */
  data(bytes: Uint8Array): boolean {
    if (this.#isSent) return this.#reply.data(bytes);
    this.#parts.push(bytes);
    this.#bytes += bytes.length;
    if (this.#bytes <= wholeBytes) return true;
    return this.#flush();
  }

  /** The one end. */
  end(end: Omit<AnswerEnd, "sequenceCount">, headWithout: AnswerHead): void {
    this.#cancelFlush?.();
    if (this.#isSent) return this.#reply.end(end);
    this.#isSent = true;
    this.#reply.complete({ ...(this.#head ?? headWithout), complete: true, ...end }, this.#whole());
  }

  /** The invocation was ended from outside: what of its answer has not gone out is no answer any more. */
  drop(): void {
    this.#cancelFlush?.();
    this.#parts.length = 0;
    this.#bytes = 0;
    if (!this.#isSent) this.#head = undefined;
  }

  #whole(): Uint8Array {
    return this.#parts.length === 1 ? (this.#parts[0] ?? nothing) : Buffer.concat(this.#parts);
  }

  #flush(): boolean {
    this.#cancelFlush?.();
    if (this.#isSent || this.#head === undefined) return true;
    this.#isSent = true;
    this.#reply.head(this.#head);
    let hasRoom = true;
    for (const part of this.#parts.splice(0)) hasRoom = this.#reply.data(part);
    return hasRoom;
  }
}

const nothing = new Uint8Array(0);

function soon(callback: () => void): () => void {
  const immediate = setImmediate(callback);
  return () => {
    clearImmediate(immediate);
  };
}
