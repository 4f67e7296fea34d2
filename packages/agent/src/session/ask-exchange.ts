import { type Ask, askSchema, BodyWriter, type Frame, LongshoreError, parseInput } from "@longshore/protocol";
import type { AgentExchange, AgentExchangeHandlers, AskHandler } from "../bus/bus.ts";

const encoder = new TextEncoder();

/** One ask's exchange: the handler's JSON as a complete answer, or its lines as a streamed one; a cancel aborts the handler. */
export function openAsk(frame: Frame & { kind: "open" }, exchange: AgentExchange, handle: AskHandler): AgentExchangeHandlers {
  const abort = new AbortController();
  const lines = new LineWriter(exchange);
  answer(frame, exchange, handle, lines, abort.signal).catch((error: unknown) => {
    exchange.send({ kind: "error", head: LongshoreError.from(error, "Cannot do what the broker asked").toShape() });
  });
  return {
    frame(further) {
      if (further.kind === "credit") lines.grant(further.bytes);
      if (further.kind === "cancel") abort.abort();
    },
    brokerGone() {
      abort.abort();
    },
  };
}

async function answer(frame: Frame & { kind: "open" }, exchange: AgentExchange, handle: AskHandler, lines: LineWriter, signal: AbortSignal): Promise<void> {
  const ask: Ask = parseInput(askSchema, frame.head, "ask");
  const answered = handle(ask, signal);
  if (Symbol.asyncIterator in answered) return lines.pipe(answered, signal);
  const body = encoder.encode(JSON.stringify((await answered) ?? {}));
  exchange.send({ kind: "answer", head: { complete: true, headers: [], result: { outcome: "succeeded" } }, body });
}

/** Lines that come at once go in frames of about that size. */
const batchBytes = 32 * 1024;

/** Streams JSON lines, or bytes as they are, under credit: a slow broker slows the source. */
class LineWriter {
  readonly #exchange: AgentExchange;
  readonly #writer: BodyWriter;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #flushing: NodeJS.Immediate | undefined;
  /** What was written does not wait for credit. */
  #hasRoom = true;
  #drained: (() => void) | undefined;

  constructor(exchange: AgentExchange) {
    this.#exchange = exchange;
    this.#writer = new BodyWriter(
      (sequence, body) => {
        exchange.send({ kind: "data", sequence, body });
      },
      (sequenceCount) => {
        exchange.send({ kind: "end", head: { sequenceCount, result: { outcome: "succeeded" } } });
      },
    );
    this.#writer.onDrain = () => {
      this.#hasRoom = true;
      this.#drained?.();
    };
  }

  grant(bytes: number): void {
    this.#writer.grant(bytes);
  }

  async pipe(lines: AsyncIterable<unknown>, signal: AbortSignal): Promise<void> {
    this.#exchange.send({ kind: "answer", head: { complete: false, headers: [["content-type", "application/x-ndjson"]] }, body: new Uint8Array(0) });
    try {
      for await (const line of lines) {
        if (signal.aborted) break;
        this.#add(line instanceof Uint8Array ? line : encoder.encode(`${JSON.stringify(line)}\n`));
        if (this.#batchBytes >= batchBytes) this.#flush();
        if (!this.#hasRoom) await this.#room(signal);
      }
      if (!signal.aborted) this.#flush();
    } finally {
      clearImmediate(this.#flushing);
    }
    if (signal.aborted) this.#writer.abandon();
    else this.#writer.end();
  }

  #add(bytes: Uint8Array): void {
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const bytes = Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batchBytes = 0;
    this.#hasRoom = this.#writer.write(bytes);
  }

  #room(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#drained = resolve;
      signal.addEventListener("abort", () => { resolve(); }, { once: true });
    });
  }
}
