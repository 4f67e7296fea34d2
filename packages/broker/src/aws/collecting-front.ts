import type { AnswerEnd, AnswerHead, InvocationResult, LongshoreError } from "@longshore/protocol";
import type { AnswerFront, InvocationHandle } from "../invocation/request.ts";
import type { EventFeed } from "./event-feed.ts";

/** A whole answer. */
export interface CollectedAnswer {
  readonly head: AnswerHead;
  readonly result: InvocationResult;
  /** Undefined when it was larger than allowed: then the run was ended. */
  readonly body: Uint8Array | undefined;
  readonly runMs: number | undefined;
}

/** Gathers an answer whole, up to a limit. */
export class CollectingFront implements AnswerFront {
  /** Rejects with our own error when no result could be given. */
  readonly answer: Promise<CollectedAnswer>;
  readonly #settle = Promise.withResolvers<CollectedAnswer>();
  readonly #feed: EventFeed;
  readonly #maxBytes: number;
  readonly #parts: Uint8Array[] = [];
  #byteLength = 0;
  #head: AnswerHead = { complete: false, headers: [] };
  #handle: InvocationHandle | undefined;

  constructor(feed: EventFeed, maxBytes: number) {
    this.#feed = feed;
    this.#maxBytes = maxBytes;
    this.answer = this.#settle.promise;
  }

  /** The event's part in the invocation's opening. */
  get opening(): EventFeed["opening"] {
    return this.#feed.opening;
  }

  begin(handle: InvocationHandle): void {
    this.#handle = handle;
    if (this.#byteLength > 0) handle.consumed(this.#byteLength); // What came at once.
    this.#feed.begin(handle);
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    this.#settle.resolve({ head, result: head.result ?? { outcome: "succeeded" }, body: body.length > this.#maxBytes ? undefined : body, runMs: head.runMs });
  }

  head(head: AnswerHead): void {
    this.#head = head;
  }

  data(bytes: Uint8Array): void {
    this.#byteLength += bytes.length;
    this.#handle?.consumed(bytes.length);
    if (this.#byteLength <= this.#maxBytes) this.#parts.push(bytes);
    else this.#tooLarge();
  }

  end({ result, runMs }: Omit<AnswerEnd, "sequenceCount">): void {
    this.#settle.resolve({ head: this.#head, result, body: Buffer.concat(this.#parts), runMs });
  }

  fail(error: LongshoreError): void {
    this.#settle.reject(error);
  }

  drain(): void {
    this.#feed.resume();
  }

  #tooLarge(): void {
    this.#parts.length = 0;
    this.#settle.resolve({ head: this.#head, result: { outcome: "failed" }, body: undefined, runMs: undefined });
    this.#handle?.cancel("abandoned");
  }
}
