import { type AgentAddress, type AnswerEnd, type AnswerHead, type BrokerId, type ErrorShape, type Frame, LongshoreError, type RunOrder } from "@longshore/protocol";
import type { Bus, Exchange, ExchangeHandlers } from "../../bus/bus.ts";

/** One exchange, seen from the agent's side. */
export class FakeExchange implements Exchange {
  readonly agent: AgentAddress;
  readonly order: RunOrder;
  readonly body: Uint8Array;
  /** What the broker sent after the order. */
  readonly frames: Frame[] = [];
  isClosed = false;
  #hasFailed = false;
  readonly #handlers: ExchangeHandlers;

  constructor(agent: AgentAddress, order: RunOrder, body: Uint8Array, handlers: ExchangeHandlers) {
    this.agent = agent;
    this.order = order;
    this.body = body;
    this.#handlers = handlers;
  }

  send(frame: Frame): void {
    if (this.isClosed) throw new Error("nothing may be sent on a closed exchange");
    this.frames.push(frame);
  }

  close(): void {
    this.isClosed = true;
  }

  /** Frames of one kind that the broker sent. */
  sent<K extends Frame["kind"]>(kind: K): Extract<Frame, { kind: K }>[] {
    return this.frames.filter((frame): frame is Extract<Frame, { kind: K }> => frame.kind === kind);
  }

  /** A frame of the agent's; the bus drops it when the exchange is over. */
  receive(frame: Frame): void {
    if (!this.isClosed && !this.#hasFailed) this.#handlers.frame(frame);
  }

  /** A whole answer in one message. */
  complete(text = "", head: Partial<AnswerHead> = {}): void {
    this.receive({ kind: "answer", head: { complete: true, headers: [], result: { outcome: "succeeded" }, ...head }, body: Buffer.from(text) });
  }

  /** The beginning of an answer. */
  head(head: Partial<AnswerHead> = {}): void {
    this.receive({ kind: "answer", head: { complete: false, headers: [], ...head }, body: new Uint8Array(0) });
  }

  data(sequence: number, body: Uint8Array | string): void {
    this.receive({ kind: "data", sequence, body: typeof body === "string" ? Buffer.from(body) : body });
  }

  end(end: Partial<AnswerEnd> = {}): void {
    this.receive({ kind: "end", head: { sequenceCount: 0, result: { outcome: "succeeded" }, ...end } });
  }

  /** The agent's own error. */
  refuse(error: LongshoreError | ErrorShape): void {
    this.receive({ kind: "error", head: error instanceof LongshoreError ? error.toShape() : error });
  }

  fails(why: "no_responders" | "bus_down" | "bad_frame"): void {
    if (this.isClosed || this.#hasFailed) return;
    this.#hasFailed = true;
    this.#handlers.failed(why);
  }
}

/** A bus on which a test plays every agent. */
export class FakeBus implements Pick<Bus, "brokerId" | "open"> {
  readonly brokerId = "b1" as BrokerId;
  readonly exchanges: FakeExchange[] = [];
  /** Not connected: every order throws. */
  isDown = false;

  open(agent: AgentAddress, _verb: "run" | "ask", head: unknown, body: Uint8Array, handlers: ExchangeHandlers): Exchange {
    if (this.isDown) throw new LongshoreError("bus_down", "Cannot send: the bus is not connected");
    const exchange = new FakeExchange(agent, head as RunOrder, body, handlers);
    this.exchanges.push(exchange);
    return exchange;
  }

  /** The exchange that was opened last. */
  last(): FakeExchange {
    const exchange = this.exchanges.at(-1);
    if (exchange === undefined) throw new Error("no order was sent");
    return exchange;
  }
}
