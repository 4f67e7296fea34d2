import type { AnswerEnd, AnswerHead, InvocationResult, LongshoreError } from "@longshore/protocol";
import type { ServerResponse } from "node:http";
import type { AnswerFront, InvocationHandle } from "../invocation/request.ts";
import type { EventFeed } from "./event-feed.ts";
import { eventStreamType, payloadChunk } from "./event-stream.ts";

/** How a streamed answer ended. */
export interface StreamEnd {
  readonly head: AnswerHead;
  readonly result: InvocationResult;
  readonly runMs: number | undefined;
}

/**
 * An answer as AWS's event stream, part by part as it is made. The response is begun with the answer's head, so that what comes before
 * it can still be refused; whoever made it ends it.
 */
export class StreamingFront implements AnswerFront {
  /** Rejects with our own error when no result could be given. */
  readonly ended: Promise<StreamEnd>;
  readonly #settle = Promise.withResolvers<StreamEnd>();
  readonly #feed: EventFeed;
  readonly #response: ServerResponse;
  #head: AnswerHead = { complete: false, headers: [] };
  #handle: InvocationHandle | undefined;

  constructor(feed: EventFeed, response: ServerResponse) {
    this.#feed = feed;
    this.#response = response;
    this.ended = this.#settle.promise;
  }

  /** The event's part in the invocation's opening. */
  get opening(): EventFeed["opening"] {
    return this.#feed.opening;
  }

  begin(handle: InvocationHandle): void {
    this.#handle = handle;
    this.#feed.begin(handle);
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    this.#open(head);
    if (body.length > 0) this.#response.write(payloadChunk(body));
    this.#settle.resolve({ head, result: head.result ?? { outcome: "succeeded" }, runMs: head.runMs });
  }

  head(head: AnswerHead): void {
    this.#open(head);
    this.#response.flushHeaders();
  }

  data(bytes: Uint8Array): void {
    this.#response.write(payloadChunk(bytes), () => this.#handle?.consumed(bytes.length));
  }

  end({ result, runMs }: Omit<AnswerEnd, "sequenceCount">): void {
    this.#settle.resolve({ head: this.#head, result, runMs });
  }

  fail(error: LongshoreError): void {
    this.#settle.reject(error);
  }

  drain(): void {
    this.#feed.resume();
  }

  #open(head: AnswerHead): void {
    this.#head = head;
    this.#response.writeHead(200, { "Content-Type": eventStreamType });
  }
}
