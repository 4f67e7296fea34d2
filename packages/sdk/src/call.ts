import type { HeaderList, InvocationResult, StartKind, whereSchema } from "@longshore/protocol";
import type { z } from "zod";

/** What a function is sent. A string travels as UTF-8; a stream as it comes, under flow control. */
export type CallBody = Uint8Array | ArrayBuffer | string | Blob | ReadableStream<Uint8Array> | undefined;

/** Where a call may run, beside what its function allows. */
export type Where = z.input<typeof whereSchema>;

/** How a function is called. */
export interface CallOptions {
  /** Where it may run, beside what the function allows: `site=plant,label.gpu=true`, or the same as an object. */
  readonly where?: string | Where | undefined;
  /** Ends the run, wherever it has come to. */
  readonly signal?: AbortSignal | undefined;
  /** At most the function's own limit. */
  readonly timeoutMs?: number | undefined;
  /** A UUIDv7 of one's own, to ask for the result again; default: a new one. */
  readonly invocationId?: string | undefined;
  /**
   * Of 1 to 255 visible ASCII characters, in place of an id: calls of a function with one key run once, and all have the one answer. Such
   * a call goes over HTTP.
   */
  readonly idempotencyKey?: string | undefined;
  readonly headers?: HeaderList | undefined;
  /** Default `POST`. */
  readonly method?: string | undefined;
  /** Raw path and query, default `/`; only spaces and what is not ASCII are percent-encoded. */
  readonly path?: string | undefined;
  /** The run goes on when this caller is gone. Over a WebSocket only. */
  readonly detach?: boolean | undefined;
}

/** An answer as it comes. Its body can be read once, by one of the ways below. */
export interface Answer {
  /** The function's HTTP status; absent where its contract has none. */
  readonly status: number | undefined;
  readonly headers: HeaderList;
  readonly body: ReadableStream<Uint8Array>;
  /** What became of the invocation: known once the body has ended. Rejects with a LongshoreError when nobody can tell. */
  readonly result: Promise<InvocationResult>;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  readonly start: StartKind | undefined;
  readonly invocationId: string;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  text(): Promise<string>;
  json(): Promise<unknown>;
}

/** One way for invocations to travel. */
export interface Transport {
  /** Resolves when the function began to answer, or has; rejects with a LongshoreError. */
  call(call: OutgoingCall): Promise<Answer>;
}

/** A call with every default filled in. */
export interface OutgoingCall {
  readonly functionName: string;
  /** Under a key nobody is told of it: the id is the key's. */
  readonly invocationId: string;
  readonly idempotencyKey: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderList;
  /** In the header's form. */
  readonly where: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly detach: boolean;
  readonly signal: AbortSignal | undefined;
  /** Whole, or as it comes. */
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
}
