import { chunkBytes, type Frame, type InvocationResult, LongshoreError, type SocketOpen } from "@longshore/protocol";
import { isWholeAnswer, metaOf, StreamedAnswer, WholeAnswer } from "./answer.ts";
import type { Answer, OutgoingCall, Transport } from "./call.ts";
import { ofInvocation } from "./error.ts";
import { IncomingBody } from "./incoming-body.ts";
import { abandoned } from "./outgoing.ts";
import { OutgoingBody } from "./outgoing-body.ts";
import { type CallAnswerHead, readAnswerEnd, readAnswerHead, readError } from "./read-answer.ts";
import type { SocketExchange, SocketLink } from "./socket-link.ts";
import type { SocketKeeper } from "./socket-keeper.ts";

const nothing = new Uint8Array(0);

/** Calls over the fleet's WebSocket. */
export function createSocketTransport(keeper: SocketKeeper, connectTimeoutMs: number): Transport {
  return {
    async call(call) {
      let left = call;
      for (;;) {
        const link = keeper.current;
        if (link === undefined) {
          left = await connect(keeper, left, connectTimeoutMs);
          continue; // Others who waited may have filled it.
        }
        try {
          return await new SocketCall(link, left).begun;
        } catch (error) {
          if (!wasTurnedAway(error, link, call)) throw error;
        }
      }
    },
  };
}

/** Waits for a socket; resolves with the call in what is then left of its time. */
async function connect(keeper: SocketKeeper, call: OutgoingCall, connectTimeoutMs: number): Promise<OutgoingCall> {
  const { functionName, signal, timeoutMs, invocationId, body } = call;
  const sinceMs = performance.now();
  try {
    await keeper.link(Math.min(timeoutMs ?? connectTimeoutMs, connectTimeoutMs), signal);
    return timeoutMs === undefined ? call : { ...call, timeoutMs: Math.max(1, timeoutMs - (performance.now() - sinceMs)) };
  } catch (error) {
    if (body instanceof ReadableStream) body.cancel(error).catch(() => undefined);
    throw ofInvocation(signal?.aborted === true ? abandoned(functionName, signal) : LongshoreError.from(error, `Cannot call "${functionName}"`), invocationId);
  }
}

/** The call crossed its broker's word that it drains: it has certainly not begun, and another broker may take it. */
function wasTurnedAway(error: unknown, link: SocketLink, { body }: OutgoingCall): boolean {
  return error instanceof LongshoreError && error.reason === "broker_draining" && error.phase === "admission" && !link.isUsable && body instanceof Uint8Array;
}

/** The part of an answer that comes after its head. */
interface Rest {
  readonly body: IncomingBody;
  readonly result: PromiseWithResolvers<InvocationResult>;
}

/**
 * One call on a socket.
 *
 * Invariants: C1 `begun` settles once; after it resolved, body and result tell of any failure. C2 after an abort, or when the reader
 * wants no more, the run is cancelled once, and its outcome still settles the result. C3 a body ends cleanly only when the function was
 * heard out.
 */
class SocketCall implements SocketExchange {
  readonly begun: Promise<Answer>;
  readonly #link: SocketLink;
  readonly #call: OutgoingCall;
  readonly #stream: number;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: Error) => void;
  #request: OutgoingBody | undefined;
  #rest: Rest | undefined;
  #isCancelled = false;
  #isOver = false;

  /** Sends it, on a usable link. */
  constructor(link: SocketLink, call: OutgoingCall) {
    this.#link = link;
    this.#call = call;
    this.begun = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { body, signal } = call;
    const isShort = body instanceof Uint8Array && body.length <= chunkBytes;
    this.#stream = link.open(this, openHead(call, !isShort), isShort ? body : nothing);
    if (!isShort) this.#sendBody(body);
    if (signal?.aborted === true) this.#onAbort();
    else signal?.addEventListener("abort", this.#onAbort);
  }

  frame(frame: Frame): void {
    switch (frame.kind) {
      case "answer":
        return this.#begin(readAnswerHead(frame.head), frame.body);
      case "data":
        if (this.#rest !== undefined) return this.#rest.body.receive(frame.sequence, frame.body);
        if (this.#isCancelled) return;
        break;
      case "end": {
        const { sequenceCount, result } = readAnswerEnd(frame.head);
        if (!this.#isCancelled) this.#rest?.body.finish(sequenceCount);
        return this.#finish(result);
      }
      case "credit":
        return this.#request?.grant(frame.bytes);
      case "error":
        return this.#fail(readError(frame.head));
      case "open":
      case "cancel":
        break;
    }
    throw new LongshoreError("bad_frame", `A broker does not send "${frame.kind}" here`);
  }

  fail(error: LongshoreError): void {
    this.#cancel();
    this.#fail(error);
  }

  #fail(error: LongshoreError): void {
    if (this.#isOver) return;
    this.#over();
    const told = ofInvocation(error, this.#call.invocationId);
    this.#reject(told);
    this.#rest?.result.reject(told);
    this.#rest?.body.fail(told);
  }

  #begin(head: CallAnswerHead, body: Uint8Array): void {
    if (this.#rest !== undefined) throw new LongshoreError("bad_frame", "A broker sends one answer");
    const meta = metaOf(head, this.#call.invocationId);
    if (head.complete) {
      this.#over();
      return this.#resolve(new WholeAnswer(meta, body, head.result));
    }
    if (this.#isCancelled) return; // Nobody reads it.
    const rest: Rest = {
      body: new IncomingBody((credit) => this.#link.send(this.#stream, credit), () => this.#cancel()),
      result: Promise.withResolvers(),
    };
    rest.result.promise.catch(() => undefined); // Whoever wants to know asks for it.
    this.#rest = rest;
    this.#resolve(new StreamedAnswer(meta, rest.body.stream, () => rest.result.promise));
  }

  #finish(result: InvocationResult): void {
    this.#over();
    if (this.#rest === undefined) return this.#resolve(new WholeAnswer(metaOf({ headers: [] }, this.#call.invocationId), nothing, result));
    this.#rest.result.resolve(result);
    if (isWholeAnswer(result)) this.#rest.body.end();
    else this.#rest.body.fail(new LongshoreError("body_incomplete", result.message ?? `The function ended: ${result.outcome}`, { phase: "execution" })); // C3
  }

  #over(): void {
    this.#isOver = true;
    this.#call.signal?.removeEventListener("abort", this.#onAbort);
    this.#request?.abandon();
    this.#link.finish(this.#stream);
  }

  readonly #onAbort = (): void => {
    this.#cancel();
    const error = ofInvocation(abandoned(this.#call.functionName, this.#call.signal), this.#call.invocationId);
    this.#reject(error);
    this.#rest?.body.abort(error);
  };

  #cancel(): void {
    if (this.#isCancelled || this.#isOver) return; // C2
    this.#isCancelled = true;
    this.#request?.abandon();
    this.#link.send(this.#stream, { kind: "cancel", head: { reason: "abandoned" } });
  }

  #sendBody(body: Uint8Array | ReadableStream<Uint8Array>): void {
    this.#request = new OutgoingBody((frame) => this.#link.send(this.#stream, frame));
    this.#request.send(body).catch((cause: unknown) => {
      const broke = new LongshoreError("body_incomplete", `Cannot send the request to "${this.#call.functionName}": its body broke off`, { cause });
      this.fail(cause instanceof LongshoreError ? cause : broke);
    });
  }
}

function openHead(call: OutgoingCall, more: boolean): SocketOpen {
  const head: SocketOpen = {
    what: "invoke",
    functionName: call.functionName,
    invocationId: call.invocationId,
    request: { method: call.method, target: call.path, headers: call.headers as [string, string][] },
    more,
  };
  if (call.where !== undefined) head.where = call.where;
  if (call.timeoutMs !== undefined) head.timeoutMs = call.timeoutMs;
  if (call.detach) head.detach = true;
  return head;
}
