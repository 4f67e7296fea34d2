import type { AnswerEnd, AnswerHead, FunctionName, InvocationId, InvocationTrace, LongshoreError, RequestHead, TenantId, Where } from "@longshore/protocol";

/** An invocation as a front (HTTP, socket, later the queue) hands it over: everything checked, nothing placed. */
export interface InvocationRequest {
  readonly invocationId: InvocationId;
  readonly tenantId: TenantId;
  readonly functionName: FunctionName;
  readonly where: Where;
  /** The caller's own limit, milliseconds; the function's timeout applies besides. */
  readonly timeoutMs: number | undefined;
  /** The run goes on when the caller is gone. */
  readonly detach: boolean;
  readonly request: RequestHead;
  readonly upgrade: boolean;
  /** It came through the function's URL. */
  readonly viaUrl?: boolean;
  /** The body, or its beginning when `more`. */
  readonly body: Uint8Array;
  readonly more: boolean;
  readonly bodyBytes: number | undefined;
  /** Where traces are on: set at the one door, {@link Invoker.invoke}. */
  readonly trace?: InvocationTrace;
}

/** Where an invocation's answer goes. `complete`, `end` or `fail` is called exactly once; `head` and `data` before `end` only. */
export interface AnswerFront {
  /** Head and whole body at once. */
  complete(head: AnswerHead, body: Uint8Array): void;
  head(head: AnswerHead): void;
  /** A part of the body; the front calls {@link InvocationHandle.consumed} as its own consumer takes it. */
  data(bytes: Uint8Array): void;
  end(end: Omit<AnswerEnd, "sequenceCount">): void;
  /** Our own error: no result could be given. */
  fail(error: LongshoreError): void;
  /** The request body may go on: everything written has been sent. */
  drain(): void;
}

/** What a front tells an invocation under way. */
export interface InvocationHandle {
  /** A further part of the request body; false when the front should pause until {@link AnswerFront.drain}. */
  write(bytes: Uint8Array): boolean;
  endRequest(): void;
  /** The front's consumer took that many bytes of the answer. */
  consumed(byteLength: number): void;
  /** `abandoned`: the caller's connection closed; ends the run unless it was detached. */
  cancel(reason: "abandoned" | "requested"): void;
}

/** The one door of the invocation path: what HTTP, socket and queue call. */
export interface Invoker {
  invoke(request: InvocationRequest, front: AnswerFront): InvocationHandle;
}
