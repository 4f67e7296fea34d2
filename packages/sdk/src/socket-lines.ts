import type { Frame, LongshoreError, SocketOpen } from "@longshore/protocol";
import { IncomingBody } from "./incoming-body.ts";
import { readError } from "./read-answer.ts";
import type { SocketExchange, SocketLink } from "./socket-link.ts";

const nothing = new Uint8Array(0);
const lineFeed = 10;

/**
 * What a broker answers in lines, as they come and as far as they are read, until it ends or `signal` is aborted. `onBegin` is
 * called when the broker has taken the question.
 */
export async function* linesOnSocket(link: SocketLink, question: SocketOpen, signal: AbortSignal | undefined, onBegin?: () => void): AsyncGenerator<Uint8Array, void> {
  const exchange = new LineExchange(link, question, onBegin);
  const onAbort = () => exchange.cancel();
  signal?.addEventListener("abort", onAbort);
  try {
    for await (const line of linesOf(exchange.body)) {
      if (signal?.aborted === true) return;
      yield line;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    exchange.cancel();
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = body.getReader(); // Not every browser iterates over a stream.
  let rest: Uint8Array = nothing;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const bytes = rest.length === 0 ? value : joined(rest, value);
    let from = 0;
    for (let at = bytes.indexOf(lineFeed); at !== -1; at = bytes.indexOf(lineFeed, from)) {
      yield bytes.subarray(from, at);
      from = at + 1;
    }
    rest = bytes.subarray(from);
  }
}

class LineExchange implements SocketExchange {
  readonly #link: SocketLink;
  readonly #stream: number;
  readonly #incoming: IncomingBody;
  readonly #onBegin: (() => void) | undefined;
  #isOver = false;

  constructor(link: SocketLink, question: SocketOpen, onBegin: (() => void) | undefined) {
    this.#link = link;
    this.#onBegin = onBegin;
    this.#incoming = new IncomingBody((credit) => link.send(this.#stream, credit), () => this.cancel());
    this.#stream = link.open(this, question, nothing);
  }

  get body(): ReadableStream<Uint8Array> {
    return this.#incoming.stream;
  }

  /** Wants no more; what came is still read. Idempotent. */
  cancel(): void {
    if (this.#isOver) return;
    this.#link.send(this.#stream, { kind: "cancel", head: { reason: "requested" } });
    this.#over();
    this.#incoming.end();
  }

  frame(frame: Frame): void {
    if (frame.kind === "answer") return this.#onBegin?.();
    if (frame.kind === "data") return this.#incoming.receive(frame.sequence, frame.body);
    if (frame.kind === "error") return this.fail(readError(frame.head));
    if (frame.kind !== "end") return;
    this.#over();
    this.#incoming.end();
  }

  fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#over();
    this.#incoming.fail(error);
  }

  #over(): void {
    this.#isOver = true;
    this.#link.finish(this.#stream);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
