import type { Ask, BrokerId, ExchangeToken, Frame, Heartbeat, Introduction } from "@longshore/protocol";

/** What the agent needs of NATS. `nats.ts` is the one file that knows the client. */
export interface AgentBus {
  /** Resolves when the first connection stands and the subscription is at the server. */
  start(handlers: AgentBusHandlers): Promise<void>;
  heartbeat(heartbeat: Heartbeat): void;
  introduce(introduction: Introduction): void;
  /** What became of an attempt at an accepted invocation, for whichever broker is there; of no effect while there is no connection. */
  outcome(frame: Frame): void;
  readonly connected: boolean;
  /** Stops taking work, flushes what was sent, closes. Idempotent. */
  close(): Promise<void>;
}

export interface AgentBusHandlers {
  /** A broker opened an exchange. The handler keeps `exchange` and is told of further frames through what it returns. */
  open(verb: "run" | "ask", frame: Frame & { kind: "open" }, exchange: AgentExchange): AgentExchangeHandlers;
  connectionChanged(connected: boolean): void;
}

/** The agent's side of an exchange. */
export interface AgentExchange {
  readonly brokerId: BrokerId;
  readonly token: ExchangeToken;
  /** Sends a frame to the broker. Ordered. `answer` complete, `end` of an answer, and `error` close the exchange. */
  send(frame: Frame): void;
  /** Sends the terminal frame of a run that its broker is to record; should that one be gone before it did, `brokerGone` is called a moment later. */
  sendOutcome(frame: Frame): void;
  /** Hands a terminal frame to whichever broker takes it, since the one that asked is gone. */
  sendOrphan(frame: Frame): void;
}

export interface AgentExchangeHandlers {
  frame(frame: Frame): void;
  /** The broker that asked no longer listens (503 on the undelivered subject): a frame did not arrive, or the outcome may not have been recorded. */
  brokerGone(): void;
}

/** What an ask handler answers: JSON, or lines as they come. */
export type AskHandler = (ask: Ask, signal: AbortSignal) => Promise<unknown> | AsyncIterable<unknown>;
