import { type AnswerEnd, type AnswerHead, BodyReader, BodyWriter, errorShape, type Frame, LongshoreError, type RunOrder } from "@longshore/protocol";
import type { Bus, Exchange, ExchangeHandlers } from "../bus/bus.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import { readAnswerEnd, readAnswerHead } from "./read-answer.ts";
import type { RequestBody } from "./request-body.ts";
import type { Failure } from "./retry.ts";

/** What an attempt tells its invocation. The last call is one of `answered` with a complete head, `ended`, `broke`. */
export interface AttemptOwner {
  /** An instance reads the request body. */
  began(): void;
  /** Head of the answer; its whole when `head.complete`. */
  answered(head: AnswerHead, body: Uint8Array): void;
  data(bytes: Uint8Array): void;
  ended(end: AnswerEnd): void;
  broke(failure: Failure): void;
}

/**
 * One sending of an invocation to one agent.
 *
 * Invariants: A1 after its last call the owner hears nothing more, and the exchange is closed. A2 the answer's bytes come in order, each once,
 * within the window, or the attempt breaks.
 */
export class Attempt implements ExchangeHandlers {
  readonly agent: AgentEntry;
  /** The agent's process that was sent the order. */
  readonly incarnation: string | undefined;
  /** The revision went along. */
  readonly sentRevision: boolean;
  readonly #owner: AttemptOwner;
  readonly #body: RequestBody;
  #exchange: Exchange | undefined;
  #writer: BodyWriter | undefined;
  #reader: BodyReader | undefined;
  #hasAnswered = false;
  #isOver = false;

  constructor(agent: AgentEntry, sentRevision: boolean, body: RequestBody, owner: AttemptOwner) {
    this.agent = agent;
    this.incarnation = agent.incarnations.current;
    this.sentRevision = sentRevision;
    this.#body = body;
    this.#owner = owner;
  }

  /** Sends the order; throws `bus_down`. */
  send(bus: Bus, order: RunOrder): void {
    const { body, more } = this.#body.opening;
    this.#exchange = bus.open(this.agent.address, "run", order, body, this);
    if (!more) return;
    this.#writer = new BodyWriter(
      (sequence, chunk) => this.#exchange?.send({ kind: "data", sequence, body: chunk }),
      (sequenceCount) => this.#exchange?.send({ kind: "end", head: { sequenceCount } }),
    );
    this.#body.attach(this.#writer);
  }

  /** The caller took that many bytes of the answer. */
  consumed(byteLength: number): void {
    if (!this.#isOver) this.#reader?.consumed(byteLength);
  }

  /** Tells the agent to end the run; its outcome still comes. */
  cancel(reason: "abandoned" | "requested" | "deadline"): void {
    if (this.#isOver) return;
    this.#body.detach();
    this.#exchange?.send({ kind: "cancel", head: { reason } });
  }

  /** Ends it without a word to the owner. */
  close(): void {
    this.#isOver = true;
    this.#body.detach();
    this.#exchange?.close();
  }

  frame(frame: Frame): void {
    if (this.#isOver) return;
    try {
      this.#take(frame);
    } catch (error) {
      if (!(error instanceof LongshoreError)) throw error;
      this.cancel("abandoned");
      this.#break({ kind: "bad_frame" });
    }
  }

  failed(why: "no_responders" | "bus_down" | "bad_frame"): void {
    if (this.#isOver) return;
    if (why === "bad_frame") this.cancel("abandoned");
    this.#break({ kind: why });
  }

  /** The agent is not heard any more. */
  lost(): void {
    if (!this.#isOver) this.#break({ kind: "lost" });
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case "answer":
        return this.#takeAnswer(readAnswerHead(frame.head), frame.body);
      case "data":
        if (this.#reader === undefined) throw outOfOrder(frame);
        this.#reader.receive(frame.sequence, frame.body.length); // A2
        return this.#owner.data(frame.body);
      case "end":
        if (this.#reader === undefined) throw outOfOrder(frame);
        return this.#takeEnd(this.#reader, readAnswerEnd(frame.head));
      case "credit":
        this.#owner.began();
        return this.#writer?.grant(frame.bytes);
      case "error":
        return this.#break({ kind: "refused", error: readError(frame.head) });
      default:
        throw outOfOrder(frame);
    }
  }

  #takeAnswer(head: AnswerHead, body: Uint8Array): void {
    if (this.#hasAnswered) throw new LongshoreError("bad_frame", "Cannot take a second answer");
    this.#hasAnswered = true;
    if (head.complete) {
      this.close(); // A1
      return this.#owner.answered(head, body);
    }
    if (body.length > 0) throw new LongshoreError("bad_frame", "Cannot take body bytes that have no number");
    this.#reader = new BodyReader((bytes) => this.#exchange?.send({ kind: "credit", bytes }));
    this.#owner.answered(head, body);
  }

  #takeEnd(reader: BodyReader, end: AnswerEnd): void {
    reader.finish(end.sequenceCount); // A2
    this.close(); // A1
    this.#owner.ended(end);
  }

  #break(failure: Failure): void {
    this.close(); // A1
    this.#owner.broke(failure);
  }
}

/** An error that does not say how far the run had come may have come after its beginning. */
function readError(head: unknown): LongshoreError {
  const parsed = errorShape.safeParse(head);
  if (!parsed.success) throw new LongshoreError("bad_frame", "Cannot read an agent's error");
  return LongshoreError.fromShape(parsed.data).at("execution");
}

function outOfOrder(frame: Frame): LongshoreError {
  return new LongshoreError("bad_frame", `Cannot take a frame of kind "${frame.kind}" from an agent here`);
}
