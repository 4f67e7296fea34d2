import { type AnswerHead, answerEndSchema, answerHeadSchema, BodyReader, BodyWriter, chunkBytes, errorShape, type Frame, type InvocationResult, LongshoreError, type SocketOpen } from "@longshore/protocol";
import { metaOf, StreamedAnswer, WholeAnswer } from "./answer.ts";
import { BodySource } from "./body-source.ts";
import type { Answer, OutgoingCall, Transport } from "./call.ts";
import { ofInvocation } from "./error.ts";
import { abandoned } from "./outgoing.ts";
import type { SocketExchange, SocketLink } from "./socket-link.ts";
import type { SocketKeeper } from "./socket-keeper.ts";

const nothing = new Uint8Array(0);

/** Calls over the fleet's one WebSocket. */
export function createSocketTransport(keeper: SocketKeeper, connectTimeoutMs: number): Transport {
  return {
    async call(call) {
      const link = keeper.current ?? (await connect(keeper, call, connectTimeoutMs));
      return new SocketCall(link, call).begun;
    },
  };
}

async function connect(keeper: SocketKeeper, { functionName, signal, timeoutMs, invocationId }: OutgoingCall, connectTimeoutMs: number): Promise<SocketLink> {
  try {
    return await keeper.link(Math.min(timeoutMs ?? connectTimeoutMs, connectTimeoutMs), signal);
  } catch (error) {
    throw ofInvocation(signal?.aborted === true ? abandoned(functionName, signal) : LongshoreError.from(error, `Cannot call "${functionName}"`), invocationId);
  }
}

/**
 * One call on a socket.
 *
 * Invariants: K1 `begun` settles once; after it resolved, body and result tell of any failure. K2 credit is granted for bytes that
 * were read. K3 after an abort the run is cancelled once, and its outcome still settles the result.
 */
class SocketCall implements SocketExchange {
  readonly begun: Promise<Answer>;
  readonly #link: SocketLink;
  readonly #call: OutgoingCall;
  readonly #stream: number;
  readonly #reader: BodyReader;
  readonly #result = Promise.withResolvers<InvocationResult>();
  #settle!: { resolve: (answer: Answer) => void; reject: (error: Error) => void };
  #writer: BodyWriter | undefined;
  #source: BodySource | undefined;
  #isCancelled = false;
  #isOver = false;

  constructor(link: SocketLink, call: OutgoingCall) {
    this.#link = link;
    this.#call = call;
    this.#result.promise.catch(() => undefined); // Whoever wants to know asks for it.
    this.#reader = new BodyReader((bytes) => link.send(this.#stream, { kind: "credit", bytes }));
    this.begun = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const isWhole = call.body instanceof Uint8Array && call.body.length <= chunkBytes;
    this.#stream = link.open(this, openHead(call, !isWhole), isWhole ? (call.body) : nothing);
    if (!isWhole) this.#sendBody(call.body);
    if (call.signal?.aborted === true) this.#onAbort();
    else call.signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  frame(frame: Frame): void {
    try {
      this.#take(frame);
    } catch (error) {
      this.#cancel();
      this.#fail(LongshoreError.from(error, `Cannot read the answer of "${this.#call.functionName}"`));
    }
  }

  lost(error: LongshoreError): void {
    this.#fail(error);
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "answer":
        return this.#begin(answerHeadSchema.parse(frame.head), frame.body);
      case "data":
        this.#reader.receive(frame.sequence, frame.body.length);
        return this.#source?.push(frame.body);
      case "end": {
        const { sequenceCount, result } = answerEndSchema.parse(frame.head);
        if (!this.#isCancelled) this.#reader.finish(sequenceCount);
        return this.#finish(result);
      }
      case "credit":
        return this.#writer?.grant(frame.bytes);
      case "error":
        return this.#fail(LongshoreError.fromShape(errorShape.parse(frame.head)));
      default:
        throw new LongshoreError("bad_frame", `A broker does not send "${frame.kind}" here`);
    }
  }

  #begin(head: AnswerHead, body: Uint8Array): void {
    const meta = metaOf(head, this.#call.invocationId);
    if (head.complete) {
      const result = head.result ?? { outcome: "succeeded" };
      this.#over();
      return this.#settle.resolve(new WholeAnswer(meta, body, result));
    }
    this.#source = new BodySource(
      (byteLength) => this.#reader.consumed(byteLength), // K2
      () => this.#cancel(),
    );
    this.#settle.resolve(new StreamedAnswer(meta, this.#source.stream, () => this.#result.promise));
  }

  #finish(result: InvocationResult): void {
    this.#over();
    this.#result.resolve(result);
    if (this.#source === undefined) {
      this.#settle.resolve(new WholeAnswer({ ...metaOf({ complete: true, headers: [] }, this.#call.invocationId) }, nothing, result));
    } else if (result.outcome === "succeeded" || result.status !== undefined) {
      this.#source.end();
    } else {
      // What came is not the whole: a reader must not take it for that.
      this.#source.fail(new LongshoreError("body_incomplete", result.message ?? `The function ended: ${result.outcome}`, { phase: "execution" }));
    }
  }

  #fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#over();
    const told = ofInvocation(error, this.#call.invocationId);
    this.#settle.reject(told);
    this.#result.reject(told);
    this.#source?.fail(told);
  }

  #over(): void {
    this.#isOver = true;
    this.#call.signal?.removeEventListener("abort", this.#onAbort);
    this.#writer?.abandon();
    this.#link.finish(this.#stream);
  }

  readonly #onAbort = (): void => {
    this.#cancel();
    const error = ofInvocation(abandoned(this.#call.functionName, this.#call.signal as AbortSignal), this.#call.invocationId);
    this.#settle.reject(error);
    this.#source?.fail(error);
  };

  /** K3 */
  #cancel(): void {
    if (this.#isCancelled || this.#isOver) return;
    this.#isCancelled = true;
    this.#writer?.abandon();
    this.#link.send(this.#stream, { kind: "cancel", head: { reason: "abandoned" } });
  }

  #sendBody(body: Uint8Array | ReadableStream<Uint8Array>): void {
    const writer = (this.#writer = new BodyWriter(
      (sequence, chunk) => this.#link.send(this.#stream, { kind: "data", sequence, body: chunk }),
      (sequenceCount) => this.#link.send(this.#stream, { kind: "end", head: { sequenceCount } }),
    ));
    if (body instanceof Uint8Array) {
      writer.write(body);
      return writer.end();
    }
    this.#pipe(body, writer).catch((error: unknown) => {
      this.#cancel();
      this.#fail(new LongshoreError("body_incomplete", `Cannot send the request to "${this.#call.functionName}": its body broke off`, { cause: error }));
    });
  }

  async #pipe(body: ReadableStream<Uint8Array>, writer: BodyWriter): Promise<void> {
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (writer.isClosed) return void reader.cancel();
      if (done) return writer.end();
      if (!writer.write(value)) {
        await new Promise<void>((resolve) => {
          writer.onDrain = resolve;
          void this.#result.promise.finally(resolve).catch(() => undefined);
        });
      }
    }
  }
}

function openHead(call: OutgoingCall, more: boolean): SocketOpen {
  return {
    what: "invoke",
    functionName: call.functionName,
    invocationId: call.invocationId,
    ...(call.where !== undefined && { where: call.where }),
    ...(call.timeoutMs !== undefined && { timeoutMs: call.timeoutMs }),
    ...(call.detach && { detach: true }),
    request: { method: call.method, target: call.path, headers: call.headers as [string, string][] },
    more,
  };
}
