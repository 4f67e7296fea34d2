import type { AnswerHead, InvocationResult } from "@longshore/protocol";
import { KeptBody } from "./kept-body.ts";
import type { AnswerFront } from "./request.ts";

const nothing = new Uint8Array(0);

/**
 * Passes one answer on to the front that asked for it, and keeps of it what its record may hold.
 *
 * Invariants: R1 every byte that came counts as taken once: as the front takes it, or, once nobody reads, as it comes. R2 a front that was
 * given a head is told of the end by `end`, any other by `complete`.
 */
export class AnswerRelay {
  readonly #front: AnswerFront;
  readonly #taken: (byteLength: number) => void;
  readonly #kept = new KeptBody();
  #hasHead = false;
  #isUnread = false;
  #untakenBytes = 0;

  /** `taken` hears how many bytes more may come in their place. */
  constructor(front: AnswerFront, taken: (byteLength: number) => void) {
    this.#front = front;
    this.#taken = taken;
  }

  /** Of the body, however much of it is kept. */
  get byteLength(): number {
    return this.#kept.byteLength;
  }

  /** The body where it is small enough for a record. */
  get keptBody(): Uint8Array | undefined {
    return this.#kept.whole;
  }

  /** Head and whole body came at once. */
  complete(head: AnswerHead, body: Uint8Array): void {
    this.#front.complete(head, body);
  }

  /** Keeps what came with a head. */
  keep(body: Uint8Array): void {
    this.#kept.add(body);
  }

  head(head: AnswerHead): void {
    if (this.#isUnread) return;
    this.#hasHead = true;
    this.#front.head(head);
  }

  data(bytes: Uint8Array): void {
    this.#kept.add(bytes);
    if (this.#isUnread) return this.#taken(bytes.length); // R1
    this.#untakenBytes += bytes.length;
    this.#front.data(bytes);
  }

  /** The front's consumer took that many bytes. */
  consumed(byteLength: number): void {
    if (this.#isUnread) return;
    this.#untakenBytes -= byteLength;
    this.#taken(byteLength);
  }

  /** From now on nobody reads; what the front still held counts as read. */
  readOn(): void {
    if (this.#isUnread) return;
    this.#taken(this.#untakenBytes); // R1
    this.#isUnread = true;
  }

  /** Its end, where it has no other head than this. */
  end(head: AnswerHead, result: InvocationResult, runMs: number | undefined): void {
    if (this.#hasHead) this.#front.end({ result, ...(runMs !== undefined && { runMs }) }); // R2
    else this.#front.complete(head, nothing);
  }
}
