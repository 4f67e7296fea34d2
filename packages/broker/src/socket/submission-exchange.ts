import { BodyReader, type Frame, inlineBodyBytes, LongshoreError, parseInput, requestEndSchema, type SocketAccepted } from "@longshore/protocol";
import { underKey } from "../queue/idempotency-key.ts";
import type { Queue } from "../queue/queue.ts";
import { shownView } from "../queue/queue-view.ts";
import type { Accepted } from "../queue/submissions.ts";
import { type Exchange, type ExchangeLink, unexpectedFrame } from "./exchange.ts";
import type { SubmissionHead } from "./submission-open.ts";

/** What accepts work. */
export type Acceptor = Pick<Queue, "accept">;

/** The first part of a body, and whether more of it comes. */
export interface FirstPart {
  readonly body: Uint8Array;
  readonly more: boolean;
  /** A body that is not whole by then is not waited for. */
  readonly withinMs: number;
}

const nothing = new Uint8Array(0);

/**
 * One submission over a socket: the body, then one frame once it is on disk, or why it is not accepted. Whoever closes the socket, or
 * cancels, before that frame does not know; the same again, under its id or key, tells.
 */
export class SubmissionExchange implements Exchange {
  readonly #head: SubmissionHead;
  readonly #acceptor: Acceptor;
  readonly #link: ExchangeLink;
  readonly #reader = new BodyReader(() => undefined); // No body is as long as the credit that there is without asking.
  readonly #parts: Uint8Array[] = [];
  #byteLength = 0;
  /** While the body comes. */
  #patience: NodeJS.Timeout | undefined;
  #isOver = false;

  /** Throws `payload_too_large`. */
  constructor(head: SubmissionHead, { body, more, withinMs }: FirstPart, acceptor: Acceptor, link: ExchangeLink) {
    this.#head = head;
    this.#acceptor = acceptor;
    this.#link = link;
    this.#add(body);
    if (more) this.#patience = setTimeout(() => this.#fail(tooSlow(withinMs)), withinMs);
    else this.#submit();
  }

  frame(frame: Frame): void {
    switch (frame.kind) {
      case "data":
        this.#expectBody(frame);
        this.#reader.receive(frame.sequence, frame.body.length);
        return this.#add(frame.body);
      case "end":
        this.#expectBody(frame);
        this.#reader.finish(parseInput(requestEndSchema, frame.head, "end of request").sequenceCount);
        this.#wholeOrNever();
        return this.#submit();
      case "cancel":
        if (this.#patience !== undefined) this.#fail(new LongshoreError("caller_gone", "Cannot accept an invocation: its caller gave up before its body was whole", { phase: "admission" }));
        return; // Of what is being written the answer comes.
      default:
        throw unexpectedFrame(frame);
    }
  }

  abort(): void {
    this.#isOver = true;
    this.#wholeOrNever();
  }

  brokerDraining(error: LongshoreError): void {
    if (this.#patience !== undefined) this.#fail(error); // What is being written comes to its end.
  }

  #expectBody(frame: Frame): void {
    if (this.#patience === undefined) throw unexpectedFrame(frame);
  }

  #add(part: Uint8Array): void {
    this.#byteLength += part.length;
    if (this.#byteLength > inlineBodyBytes) throw new LongshoreError("payload_too_large", `Cannot accept an invocation over a socket: its body has more than ${inlineBodyBytes} bytes, which HTTP takes`, { phase: "admission", field: "body" });
    this.#parts.push(part);
  }

  #wholeOrNever(): void {
    clearTimeout(this.#patience);
    this.#patience = undefined;
  }

  #submit(): void {
    const { submission, key } = this.#head;
    const accept = () => this.#acceptor.accept({ ...submission, body: Buffer.concat(this.#parts) });
    const accepted = key === undefined ? accept() : underKey(key, accept);
    accepted.then((done) => this.#accepted(done), (error: unknown) => this.#fail(LongshoreError.from(error, "Cannot accept an invocation")));
  }

  #accepted({ isNew, view }: Accepted): void {
    const head: SocketAccepted = { complete: true, view: shownView(view), ...(!isNew && { replayed: true }) };
    this.#finish({ kind: "answer", head, body: nothing });
  }

  #fail(error: LongshoreError): void {
    this.#finish({ kind: "error", head: error.toShape() });
  }

  #finish(frame: Frame): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#wholeOrNever();
    this.#link.finish(frame);
  }
}

function tooSlow(withinMs: number): LongshoreError {
  return new LongshoreError("body_too_slow", `Cannot accept an invocation: its body was not whole within ${withinMs} ms`, { phase: "admission", field: "body" });
}
