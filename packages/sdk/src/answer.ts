import type { HeaderList, InvocationResult, StartKind } from "@longshore/protocol";
import type { Answer } from "./call.ts";

const decoder = new TextDecoder();

/** What came back beside the body. */
export interface AnswerMeta {
  readonly status: number | undefined;
  readonly headers: HeaderList;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  readonly start: StartKind | undefined;
  readonly invocationId: string;
}

/** The meta data that stand in an answer's head on a socket. */
export function metaOf(head: Partial<AnswerMeta> & Pick<AnswerMeta, "headers">, invocationId: string): AnswerMeta {
  return { status: head.status, headers: head.headers, siteId: head.siteId, agentId: head.agentId, start: head.start, invocationId };
}

/** True when the function was heard out: what it sent is its whole answer. */
export function isWholeAnswer({ outcome, status }: InvocationResult): boolean {
  return outcome === "succeeded" || (outcome === "failed" && status !== undefined);
}

abstract class AnswerBase implements Answer {
  readonly status: number | undefined;
  readonly headers: HeaderList;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  readonly start: StartKind | undefined;
  readonly invocationId: string;
  abstract readonly body: ReadableStream<Uint8Array>;
  abstract readonly result: Promise<InvocationResult>;

  constructor(meta: AnswerMeta) {
    this.status = meta.status;
    this.headers = meta.headers;
    this.siteId = meta.siteId;
    this.agentId = meta.agentId;
    this.start = meta.start;
    this.invocationId = meta.invocationId;
  }

  abstract bytes(): Promise<Uint8Array<ArrayBuffer>>;

  async text(): Promise<string> {
    return decoder.decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}

/** An answer that came in one piece. */
export class WholeAnswer extends AnswerBase {
  readonly #bytes: Uint8Array;
  readonly #result: InvocationResult;
  #body: ReadableStream<Uint8Array> | undefined;

  constructor(meta: AnswerMeta, bytes: Uint8Array, result: InvocationResult) {
    super(meta);
    this.#bytes = bytes;
    this.#result = result;
  }

  get result(): Promise<InvocationResult> {
    return Promise.resolve(this.#result);
  }

  get body(): ReadableStream<Uint8Array> {
    return (this.#body ??= new Blob([this.#bytes as Uint8Array<ArrayBuffer>]).stream());
  }

  bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return Promise.resolve(this.#bytes as Uint8Array<ArrayBuffer>);
  }
}

/** An answer whose body is still coming. */
export class StreamedAnswer extends AnswerBase {
  readonly body: ReadableStream<Uint8Array>;
  readonly #result: () => Promise<InvocationResult>;
  #settled: Promise<InvocationResult> | undefined;

  /** `result` is asked once, when somebody wants to know. */
  constructor(meta: AnswerMeta, body: ReadableStream<Uint8Array>, result: () => Promise<InvocationResult>) {
    super(meta);
    this.body = body;
    this.#result = result;
  }

  get result(): Promise<InvocationResult> {
    return (this.#settled ??= this.#result());
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await new Response(this.body as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
  }
}
