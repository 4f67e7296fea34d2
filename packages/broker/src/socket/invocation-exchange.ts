import { type AnswerEnd, type AnswerHead, cancelSchema, type Frame, type LongshoreError, parseInput, requestEndSchema } from "@longshore/protocol";
import type { AnswerFront, InvocationHandle, InvocationRequest, Invoker } from "../invocation/request.ts";
import { AnswerBody } from "./answer-body.ts";
import { type Exchange, type ExchangeLink, unexpectedFrame } from "./exchange.ts";
import { RequestInlet } from "./request-inlet.ts";

const nothing = new Uint8Array(0);

/**
 * One invocation over a socket: the caller's frames on one side, the invocation path on the other.
 *
 * Invariants: S1 exactly one last frame (complete `answer`, `end` or `error`) is sent, and nothing after it. S2 credit goes to the
 * function's side only for bytes that went into the socket. S3 a request body with a gap never ends as if it were whole.
 */
export class InvocationExchange implements Exchange, AnswerFront {
  readonly #link: ExchangeLink;
  readonly #handle: InvocationHandle | undefined;
  #consumedEarly = 0;
  readonly #inlet: RequestInlet | undefined;
  #answer: AnswerBody | undefined;
  #end: Omit<AnswerEnd, "sequenceCount"> | undefined;
  #isCancelled = false;
  #isOver = false;

  constructor(request: InvocationRequest, invoker: Invoker, link: ExchangeLink) {
    this.#link = link;
    const handle = invoker.invoke(request, this); // May call back before it returns.
    this.#handle = handle;
    if (this.#consumedEarly > 0) handle.consumed(this.#consumedEarly);
    if (request.more) this.#inlet = new RequestInlet(handle, (bytes) => this.#send({ kind: "credit", bytes }));
  }

  frame(frame: Frame): void {
    switch (frame.kind) {
      case "data":
        if (this.#inlet === undefined || this.#inlet.isOver) throw unexpectedFrame(frame);
        return this.#inlet.push(frame.sequence, frame.body);
      case "end":
        if (this.#inlet === undefined || this.#inlet.isOver) throw unexpectedFrame(frame);
        return this.#inlet.end(parseInput(requestEndSchema, frame.head, "end of request").sequenceCount);
      case "credit":
        return this.#answer?.grant(frame.bytes);
      case "cancel":
        return this.#cancel(parseInput(cancelSchema, frame.head, "cancel").reason === "abandoned" ? "abandoned" : "requested");
      default:
        throw unexpectedFrame(frame);
    }
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answer?.abandon();
    const isWhole = this.#inlet === undefined || this.#inlet.isOver;
    this.#inlet?.stop();
    this.#handle?.cancel(isWhole ? "abandoned" : "requested"); // S3: a detached run goes on only with all of its request
  }

  brokerDraining(): void {
    // It has an end of its own, and may come to it.
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    this.#finish({ kind: "answer", head: { ...head, complete: true }, body });
  }

  head(head: AnswerHead): void {
    this.#answer = new AnswerBody(this.#link.outlet, {
      chunk: (sequence, body) => {
        this.#send({ kind: "data", sequence, body });
        this.#consumed(body.length); // S2
      },
      end: (sequenceCount) => this.#sendEnd(sequenceCount),
    });
    this.#send({ kind: "answer", head: { ...head, complete: false }, body: nothing });
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver || this.#isCancelled) this.#consumed(bytes.length);
    else this.#answer?.write(bytes);
  }

  end(end: Omit<AnswerEnd, "sequenceCount">): void {
    this.#end = end;
    if (this.#isCancelled || this.#answer === undefined) this.#sendEnd(this.#answer?.sequenceCount ?? 0);
    else this.#answer.end();
  }

  fail(error: LongshoreError): void {
    this.#finish({ kind: "error", head: error.toShape() });
  }

  drain(): void {
    this.#inlet?.drain();
  }

  /** The caller wants no more body; the outcome still comes. */
  #cancel(reason: "abandoned" | "requested"): void {
    this.#isCancelled = true;
    this.#answer?.abandon();
    this.#inlet?.stop();
    if (this.#end === undefined) this.#handle?.cancel(reason);
    else this.#sendEnd(this.#answer?.sequenceCount ?? 0);
  }

  #consumed(byteLength: number): void {
    if (this.#handle === undefined) this.#consumedEarly += byteLength;
    else this.#handle.consumed(byteLength);
  }

  #send(frame: Frame): void {
    if (!this.#isOver) this.#link.send(frame);
  }

  #sendEnd(sequenceCount: number): void {
    if (this.#end !== undefined) this.#finish({ kind: "end", head: { ...this.#end, sequenceCount } });
  }

  #finish(frame: Frame): void {
    if (this.#isOver) return;
    this.#isOver = true; // S1
    this.#answer?.abandon();
    this.#inlet?.stop();
    this.#link.finish(frame);
  }
}
