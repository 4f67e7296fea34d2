import { randomBytes } from "node:crypto";
import { decodeFrame, type ExchangeToken, FrameOrder } from "@longshore/protocol";
import type { Logger } from "pino";
import type { ExchangeHandlers } from "./bus.ts";
import type { CountEvent } from "./counted-events.ts";

/** Makes the tokens that name a broker's exchanges: short, and unique among all its processes (a random beginning, then a count). */
export function createTokenSource(): () => ExchangeToken {
  const prefix = `t${randomBytes(5).toString("hex")}`;
  let count = 0;
  return () => `${prefix}${(count++).toString(36)}` as ExchangeToken;
}

interface OpenExchange {
  readonly handlers: ExchangeHandlers;
  readonly order: FrameOrder;
  readonly deliver: (frame: Uint8Array) => void;
}

/**
 * The exchanges under way, by the whole subject their answers come on.
 *
 * Invariants: E1 a message reaches an exchange only on the subject of the agent that was asked: whoever else answers finds no
 * entry. E2 after `failed`, or after the entry is forgotten, no handler is called. E3 a broken message ends its own exchange only.
 */
export class Exchanges {
  readonly #open = new Map<string, OpenExchange>();
  readonly #count: CountEvent;
  readonly #log: Logger;

  constructor(count: CountEvent, log: Logger) {
    this.#count = count;
    this.#log = log;
  }

  get size(): number {
    return this.#open.size;
  }

  begin(replySubject: string, handlers: ExchangeHandlers): void {
    const exchange: OpenExchange = {
      handlers,
      order: new FrameOrder(),
      deliver: (bytes) => {
        if (this.#open.get(replySubject) === exchange) handlers.frame(decodeFrame(bytes)); // E2
      },
    };
    this.#open.set(replySubject, exchange);
  }

  forget(replySubject: string): void {
    this.#open.delete(replySubject);
  }

  /** A numbered frame that came on a subject. */
  receive(subject: string, numbered: Uint8Array): void {
    if (numbered.length === 0) return; // An agent finds out whether this broker is still there.
    const exchange = this.#open.get(subject);
    if (exchange === undefined) {
      this.#count("unsolicited_replies"); // E1
      return;
    }
    try {
      exchange.order.accept(numbered, exchange.deliver);
    } catch (err) {
      this.#count("malformed_messages");
      this.#log.debug({ err, subject }, "exchange ended by a message that cannot be read");
      this.#fail(subject, exchange, "bad_frame"); // E3
    }
  }

  /** The server says that nobody listened for what opened the exchange. */
  noResponders(subject: string): void {
    const exchange = this.#open.get(subject);
    if (exchange !== undefined) this.#fail(subject, exchange, "no_responders");
  }

  /** The connection is gone, and with it every exchange. */
  failAll(): void {
    for (const [subject, exchange] of [...this.#open]) this.#fail(subject, exchange, "bus_down");
  }

  #fail(subject: string, exchange: OpenExchange, why: "no_responders" | "bus_down" | "bad_frame"): void {
    this.#open.delete(subject);
    try {
      exchange.handlers.failed(why);
    } catch (err) {
      // Nothing may be thrown into the client's reader: it would stop reading for everybody.
      this.#log.error({ err, subject }, "end of an exchange could not be handled");
    }
  }
}
