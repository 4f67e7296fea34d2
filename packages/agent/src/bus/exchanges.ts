import { type AgentAddress, type BrokerId, decodeFrame, encodeFrame, encodeNumberedFrame, type ExchangeToken, type Frame, frameNumberBytes, FrameOrder, LongshoreError, orphanSubject, replySubject, undeliveredSubject } from "@longshore/protocol";
import type { Logger } from "pino";
import type { AgentBusHandlers, AgentExchange, AgentExchangeHandlers } from "./bus.ts";
import type { Outgoing } from "./outgoing.ts";
import { RecentKeys } from "./recent-keys.ts";
import { type ToldExchange, ToldExchanges } from "./told-exchanges.ts";

/** How often an outcome is offered to whichever broker takes it, and for how long. */
const orphanRetryMs = 1_000;
const orphanLifeMs = 15 * 60_000;

/**
 * The exchanges that brokers have opened with this agent, by broker and token.
 *
 * Invariants: X1 an exchange is opened once, however often its opening arrives. X2 its frames are delivered in order, each once. X3 it is
 * known until the server has its terminal frame, since only then is it certain that the broker was there to hear it. X4 one whose outcome is
 * to be recorded is known a little longer, until the broker had the time to do so.
 */
export class Exchanges {
  readonly agent: AgentAddress;
  readonly outgoing: Outgoing;
  readonly #log: Logger;
  readonly #known = new Map<string, Exchange>();
  readonly #opened = new RecentKeys();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly told = new ToldExchanges<Exchange>();

  constructor(agent: AgentAddress, outgoing: Outgoing, log: Logger) {
    this.agent = agent;
    this.outgoing = outgoing;
    this.#log = log;
  }

  open(verb: "run" | "ask", brokerId: BrokerId, token: ExchangeToken, numbered: Uint8Array, handlers: AgentBusHandlers): void {
    const key = keyOf(brokerId, token);
    if (!this.#opened.add(key)) return; // X1
    const frame = decodeFrame(numbered.subarray(frameNumberBytes));
    if (frame.kind !== "open") throw new LongshoreError("bad_frame", `Cannot open an exchange by a frame of kind "${frame.kind}"`);
    const exchange = new Exchange(this, verb, brokerId, token, numbered.length);
    this.#known.set(key, exchange);
    try {
      exchange.handlers = handlers.open(verb, frame as Frame & { kind: "open" }, exchange);
    } catch (error) {
      this.#log.error({ err: error }, "exchange could not be opened");
      exchange.send({ kind: "error", head: LongshoreError.from(error, "Cannot take the order").toShape() });
    }
  }

  /** A further frame; one whose exchange is over is dropped. */
  receive(brokerId: BrokerId, token: ExchangeToken, numbered: Uint8Array): void {
    this.#known.get(keyOf(brokerId, token))?.receive(numbered);
  }

  /** The server says that the broker does not listen any more. */
  undelivered(brokerId: BrokerId, token: ExchangeToken): void {
    const exchange = this.#known.get(keyOf(brokerId, token));
    for (const each of new Set([exchange, ...this.told.take(brokerId)])) each?.undelivered(); // X4
  }

  /** How many are known. */
  get size(): number {
    return this.#known.size;
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.told.close();
  }

  remember(exchange: Exchange): void {
    this.#known.set(keyOf(exchange.brokerId, exchange.token), exchange);
  }

  forget(exchange: Exchange): void {
    this.#known.delete(keyOf(exchange.brokerId, exchange.token));
  }

  later(action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, orphanRetryMs);
    this.#timers.add(timer);
  }
}

class Exchange implements AgentExchange, ToldExchange {
  readonly brokerId: BrokerId;
  readonly token: ExchangeToken;
  handlers: AgentExchangeHandlers = { frame: () => undefined, brokerGone: () => undefined };
  readonly #exchanges: Exchanges;
  readonly #verb: "run" | "ask";
  readonly #order = new FrameOrder(2); // The opening was number 1.
  heldBytes: number;
  #isRecorded = false;
  #sentCount = 0;
  #orphan: { readonly payload: Uint8Array; readonly untilMs: number; isUndelivered: boolean } | undefined;

  constructor(exchanges: Exchanges, verb: "run" | "ask", brokerId: BrokerId, token: ExchangeToken, heldBytes: number) {
    this.#exchanges = exchanges;
    this.heldBytes = heldBytes;
    this.#verb = verb;
    this.brokerId = brokerId;
    this.token = token;
  }

  send(frame: Frame): void {
    this.#sentCount += 1;
    const payload = encodeNumberedFrame(frame, this.#sentCount);
    if (isTerminal(frame)) this.#publish(payload, () => this.#terminalConfirmed(payload.length));
    else this.#publish(payload);
  }

  sendOutcome(frame: Frame): void {
    this.#isRecorded = true;
    this.send(frame);
  }

  probe(answered: () => void): void {
    this.#publish(new Uint8Array(0), answered);
  }

  forget(): void {
    this.#exchanges.forget(this);
  }

  sendOrphan(frame: Frame): void {
    this.#orphan = { payload: encodeFrame(frame), untilMs: performance.now() + orphanLifeMs, isUndelivered: false };
    this.#exchanges.remember(this);
    this.#offerOrphan();
  }

  receive(numbered: Uint8Array): void {
    try {
      this.#order.accept(numbered, (bytes) => this.#deliver(decodeFrame(bytes))); // X2
    } catch {
      this.#exchanges.forget(this);
      this.handlers.frame({ kind: "cancel", head: { reason: "abandoned" } });
    }
  }

  undelivered(): void {
    if (this.#orphan !== undefined) {
      this.#orphan.isUndelivered = true;
      return;
    }
    this.#exchanges.forget(this);
    this.handlers.brokerGone();
  }

  #deliver(frame: Frame): void {
    this.handlers.frame(frame);
    if (this.#verb === "ask" && frame.kind === "cancel") this.#exchanges.forget(this); // It is not answered any more.
  }

  #publish(payload: Uint8Array, confirmed?: () => void): void {
    const { agent, outgoing } = this.#exchanges;
    outgoing.send({ subject: replySubject(agent, this.brokerId, this.token), reply: undeliveredSubject(agent, this.brokerId, this.token), payload, ...(confirmed && { confirmed }) });
  }

  #terminalConfirmed(byteLength: number): void {
    if (this.#orphan !== undefined) return;
    if (!this.#isRecorded) return this.forget(); // X3
    this.heldBytes += byteLength;
    this.#exchanges.told.keep(this); // X4
  }

  #offerOrphan(): void {
    const orphan = this.#orphan;
    if (orphan === undefined) return;
    const { agent, outgoing } = this.#exchanges;
    orphan.isUndelivered = false;
    outgoing.send({
      subject: orphanSubject(agent),
      reply: undeliveredSubject(agent, this.brokerId, this.token),
      payload: orphan.payload,
      confirmed: () => {
        if (orphan.isUndelivered && performance.now() < orphan.untilMs) this.#exchanges.later(() => this.#offerOrphan());
        else this.#exchanges.forget(this);
      },
    });
  }
}

function isTerminal(frame: Frame): boolean {
  if (frame.kind === "answer") return (frame.head as { complete?: unknown } | null)?.complete === true;
  return frame.kind === "end" || frame.kind === "error";
}

const keyOf = (brokerId: BrokerId, token: ExchangeToken) => `${brokerId}.${token}`;
