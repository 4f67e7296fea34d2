import type { AnswerEnd, AnswerHead, LongshoreError, RunOrder } from "@longshore/protocol";

/** An invocation as the session hands it to the run: order and first body bytes, whoever sent them checked. */
export interface RunRequest {
  readonly order: RunOrder;
  readonly body: Uint8Array;
  /** Called when an instance is there, before it hears of the invocation, which waits for it. Rejects: it is not to be begun. */
  readonly willBegin?: (() => Promise<void>) | undefined;
}

/** Where a run puts its answer; the session turns it into frames with credit. One of `complete`, `end` or `refuse` is called, once. */
export interface RunReply {
  /** Head and whole body at once: the small answer. `head.result` is there. */
  complete(head: AnswerHead, body: Uint8Array): void;
  /** The head of an answer that goes on. */
  head(head: AnswerHead): void;
  /** A part of it; false when the run should pause until {@link RunHandle.resume}. */
  data(bytes: Uint8Array): boolean;
  end(end: Omit<AnswerEnd, "sequenceCount">): void;
  /** Our own error: `agent_busy`, `revision_unknown`, `instance_start_failed` … with its phase. */
  refuse(error: LongshoreError): void;
  /** The consumer of the request body took that many bytes. */
  requestConsumed(byteLength: number): void;
}

/** What the session tells a run that is under way. */
export interface RunHandle {
  /** A part of the request body. */
  data(bytes: Uint8Array): void;
  endRequest(): void;
  /** The reply has room again. */
  resume(): void;
  cancel(reason: "abandoned" | "requested" | "deadline"): void;
}
