import { chunkBytes } from "./codec.ts";
import { LongshoreError } from "./error.ts";

/**
 * How many body bytes one direction of an exchange may have under way before the reader grants more. It bounds what a hop
 * buffers for one call; far below the NATS server's slow-consumer limit.
 */
export const windowBytes = 512 * 1024;

/**
 * The sending end of one body: cuts it into chunks, numbers them, and sends only what the reader has granted.
 *
 * Invariants (cited below): W1 never more than the granted bytes are under way. W2 chunks are numbered from 1 without a gap, in
 * the order written. W3 nothing is sent after `end` or `abandon`.
 */
export class BodyWriter {
  readonly #send: (sequence: number, chunk: Uint8Array) => void;
  readonly #sendEnd: (sequenceCount: number) => void;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #credit = windowBytes;
  #sequence = 0;
  #state: "open" | "ending" | "closed" = "open";
  /** Called when queued bytes have all been sent: the producer may go on. */
  onDrain: (() => void) | undefined;

  /** `send` puts one numbered chunk on the wire, `sendEnd` closes the body and says how many there were. */
  constructor(send: (sequence: number, chunk: Uint8Array) => void, sendEnd: (sequenceCount: number) => void) {
    this.#send = send;
    this.#sendEnd = sendEnd;
  }

  /** Takes bytes; false when they wait for credit, so that the producer should pause until {@link onDrain}. */
  write(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return true; // W3
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const chunk = bytes.subarray(at, at + chunkBytes);
      this.#queue.push(chunk);
      this.#queuedBytes += chunk.length;
    }
    this.#flush();
    return this.#queue.length === 0;
  }

  /** The reader has room for that many more bytes. */
  grant(bytes: number): void {
    this.#credit += bytes;
    const waited = this.#queue.length > 0;
    this.#flush();
    if (waited && this.#queue.length === 0) this.onDrain?.();
  }

  /** No more bytes come; the end goes out once the queue has. */
  end(): void {
    if (this.#state !== "open") return;
    this.#state = "ending";
    this.#flush();
  }

  /** Drops what waits and sends nothing more: the exchange is over. */
  abandon(): void {
    this.#state = "closed";
    this.#queue.length = 0;
    this.#queuedBytes = 0;
  }

  /** True once the end has been sent or the body was abandoned. */
  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Chunks sent so far. */
  get sequenceCount(): number {
    return this.#sequence;
  }

  /** Bytes taken and not yet sent. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  #flush(): void {
    let chunk = this.#queue[0];
    while (chunk !== undefined && chunk.length <= this.#credit) {
      this.#queue.shift();
      this.#queuedBytes -= chunk.length;
      this.#credit -= chunk.length; // W1
      this.#sequence += 1;
      this.#send(this.#sequence, chunk); // W2
      chunk = this.#queue[0];
    }
    if (this.#state === "ending" && chunk === undefined) {
      this.#state = "closed";
      this.#sendEnd(this.#sequence);
    }
  }
}

/**
 * The receiving end of one body: checks order and window, and grants more as its consumer takes bytes.
 *
 * Invariants: R1 a gap or repetition is an error, never silence. R2 a sender that passes the window is an error. R3 granted bytes
 * never exceed consumed bytes plus the window.
 */
export class BodyReader {
  readonly #grant: (bytes: number) => void;
  #sequence = 0;
  #outstanding = 0;
  #unreported = 0;

  /** `grant` tells the sender that it may send that many more bytes. */
  constructor(grant: (bytes: number) => void) {
    this.#grant = grant;
  }

  /** Accounts for a chunk that arrived; throws `bad_frame` on a gap, a repetition or an overrun. */
  receive(sequence: number, byteLength: number): void {
    if (sequence !== this.#sequence + 1) throw new LongshoreError("bad_frame", `Cannot read body: chunk ${sequence} came after ${this.#sequence}`); // R1
    this.#sequence = sequence;
    this.#outstanding += byteLength;
    if (this.#outstanding > windowBytes) throw new LongshoreError("bad_frame", "Cannot read body: sender passed its credit"); // R2
  }

  /** The consumer has taken that many bytes; credit is granted in steps of half a window. */
  consumed(byteLength: number): void {
    this.#unreported += byteLength;
    if (this.#unreported < windowBytes / 2) return;
    const bytes = this.#unreported;
    this.#unreported = 0;
    this.#outstanding -= bytes; // R3
    this.#grant(bytes);
  }

  /** Checks the count that the sender's end named. */
  finish(sequenceCount: number): void {
    if (sequenceCount !== this.#sequence) throw new LongshoreError("bad_frame", `Cannot read body: ${this.#sequence} of ${sequenceCount} chunks came`);
  }
}
