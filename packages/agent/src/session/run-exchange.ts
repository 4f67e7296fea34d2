import { type AnswerEnd, type AnswerHead, BodyReader, BodyWriter, type Frame, LongshoreError, type Orphan, parseInput, requestEndSchema, type Revision, type RunOrder, runOrderSchema } from "@longshore/protocol";
import type { AgentExchange, AgentExchangeHandlers } from "../bus/bus.ts";
import type { RunHandle, RunReply, RunRequest } from "../run/sink.ts";

/** Begins an invocation; what `createRunner` makes. */
export type StartRun = (request: RunRequest, reply: RunReply) => RunHandle;

/** Begins an attempt at an accepted invocation, whose outcome does not depend on this exchange. */
export type OpenAccepted = (order: RunOrder, body: Uint8Array, exchange: AgentExchange) => AgentExchangeHandlers;

/** Finds a revision by its digest, to name the invocation when its broker is gone. */
export type FindRevision = (digest: string) => Revision | undefined;

/**
 * One invocation's exchange with its broker: frames on one side, a run on the other.
 *
 * Invariants: X1 exactly one terminal frame (complete `answer`, `end`, `error`) is sent. X2 once the broker is known to be gone,
 * nothing more is sent to it: the run finishes, and its outcome goes to whichever broker takes it; so does one that it heard and may not have recorded. X3 after a cancel no body bytes
 * are sent, only the outcome.
 */
export function openRun(frame: Frame & { kind: "open" }, exchange: AgentExchange, startRun: StartRun, findRevision: FindRevision, accepted: OpenAccepted): AgentExchangeHandlers {
  let order: RunOrder;
  try {
    order = parseInput(runOrderSchema, frame.head, "run order");
  } catch (error) {
    exchange.send({ kind: "error", head: LongshoreError.from(error, "Cannot read run order").at("admission").toShape() });
    return { frame: () => undefined, brokerGone: () => undefined };
  }
  return order.accepted === undefined ? new RunExchange(order, frame.body, exchange, startRun, findRevision) : accepted(order, frame.body, exchange);
}

class RunExchange implements AgentExchangeHandlers, RunReply {
  readonly #exchange: AgentExchange;
  readonly #order: RunOrder;
  readonly #acceptedAt = new Date();
  readonly #findRevision: FindRevision;
  readonly #request: BodyReader;
  readonly #run: RunHandle;
  #answer: BodyWriter | undefined;
  #answerHead: AnswerHead | undefined;
  #end: Omit<AnswerEnd, "sequenceCount"> | undefined;
  #payloadBytes: number;
  #terminal: { head: AnswerHead; body: Uint8Array } | undefined;
  #brokerGone = false;

  constructor(order: RunOrder, body: Uint8Array, exchange: AgentExchange, startRun: StartRun, findRevision: FindRevision) {
    this.#exchange = exchange;
    this.#order = order;
    this.#findRevision = findRevision;
    this.#payloadBytes = body.length;
    this.#request = new BodyReader((bytes) => {
      this.#send({ kind: "credit", bytes });
    });
    this.#run = startRun({ order, body }, this);
  }

  frame(frame: Frame): void {
    try {
      this.#take(frame);
    } catch {
      this.#run.cancel("abandoned"); // A gap in the request body: the function must not take the part for the whole.
    }
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "data":
        this.#request.receive(frame.sequence, frame.body.length);
        this.#payloadBytes += frame.body.length;
        return this.#run.data(frame.body);
      case "end":
        this.#request.finish(parseInput(requestEndSchema, frame.head, "end of request").sequenceCount);
        return this.#run.endRequest();
      case "credit":
        return this.#answer?.grant(frame.bytes);
      case "cancel":
        this.#abandonAnswer(); // X3
        return this.#run.cancel(cancelReason(frame.head));
      default:
        throw new LongshoreError("bad_frame", `Cannot take a frame of kind "${frame.kind}" from a broker`);
    }
  }

  brokerGone(): void {
    if (this.#brokerGone) return;
    this.#brokerGone = true;
    const sent = this.#terminal;
    this.#abandonAnswer();
    if (sent !== undefined) this.#sendOrphan(sent.head, sent.body);
    else this.#run.resume();
  }

  complete(head: AnswerHead, body: Uint8Array): void {
    this.#finish({ ...head, complete: true }, body, { kind: "answer", head: { ...head, complete: true }, body });
  }

  head(head: AnswerHead): void {
    this.#answerHead = head;
    this.#answer = new BodyWriter(
      (sequence, body) => {
        this.#send({ kind: "data", sequence, body });
      },
      (sequenceCount) => {
        this.#sendEnd(sequenceCount);
      },
    );
    this.#answer.onDrain = () => {
      this.#run.resume();
    };
    this.#send({ kind: "answer", head: { ...head, complete: false }, body: new Uint8Array(0) });
  }

  data(bytes: Uint8Array): boolean {
    return this.#answer?.write(bytes) ?? true;
  }

  end(end: Omit<AnswerEnd, "sequenceCount">): void {
    this.#end = end;
    if (this.#answer === undefined || this.#isAbandoned) this.#sendEnd(this.#answer?.sequenceCount ?? 0);
    else this.#answer.end();
  }

  refuse(error: LongshoreError): void {
    if (!this.#brokerGone) this.#exchange.send({ kind: "error", head: error.toShape() }); // X1
  }

  requestConsumed(byteLength: number): void {
    this.#request.consumed(byteLength);
  }

  /** Body bytes that wait for credit are dropped; an end that waited behind them goes out. */
  #abandonAnswer(): void {
    const answer = this.#answer;
    answer?.abandon();
    if (answer !== undefined && this.#end !== undefined) this.#sendEnd(answer.sequenceCount);
  }

  get #isAbandoned(): boolean {
    return this.#answer?.isClosed ?? false;
  }

  #sendEnd(sequenceCount: number): void {
    const end = this.#end;
    if (end === undefined) return;
    this.#finish({ ...this.#answerHead, headers: this.#answerHead?.headers ?? [], complete: true, ...end }, new Uint8Array(0), { kind: "end", head: { ...end, sequenceCount } });
  }

  /** Sends the terminal frame, and keeps what another broker would need should this one turn out to be gone. */
  #finish(head: AnswerHead, body: Uint8Array, frame: Frame): void {
    if (this.#terminal !== undefined) return; // X1
    this.#terminal = { head, body };
    if (this.#brokerGone) this.#sendOrphan(head, body); // X2
    else this.#exchange.sendOutcome(frame);
  }

  #send(frame: Frame): void {
    if (!this.#brokerGone) this.#exchange.send(frame);
  }

  #sendOrphan(head: AnswerHead, body: Uint8Array): void {
    const revision = this.#order.revision ?? this.#findRevision(this.#order.revisionDigest);
    if (revision === undefined) return;
    const orphan: Orphan = {
      invocationId: this.#order.invocationId,
      attempt: this.#order.attempt,
      tenantId: revision.tenantId,
      functionName: revision.functionName,
      revisionId: revision.revisionId,
      acceptedAt: this.#acceptedAt.toISOString(),
      payloadBytes: this.#payloadBytes,
    };
    this.#exchange.sendOrphan({ kind: "answer", head: { ...head, orphan }, body });
  }
}

function cancelReason(head: unknown): "abandoned" | "requested" | "deadline" {
  const reason = (head as { reason?: unknown } | null)?.reason;
  return reason === "requested" || reason === "deadline" ? reason : "abandoned";
}
