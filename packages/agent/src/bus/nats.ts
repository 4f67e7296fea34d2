import { setTimeout as delay } from "node:timers/promises";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { type AgentAddress, type AgentId, agentInbound, encodeFrame, encodeJson, type Frame, type Heartbeat, heartbeatSubject, type Introduction, introductionSubject, outcomeSubject, parseAgentSubject, type SiteId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { AgentBus, AgentBusHandlers } from "./bus.ts";
import { Exchanges } from "./exchanges.ts";
import { type BusCredential, Link, type LinkOptions } from "./link.ts";
import { Outgoing } from "./outgoing.ts";

export interface AgentBusOptions {
  readonly siteId: SiteId;
  readonly agentId: AgentId;
  readonly credential: BusCredential;
  /** Gets a fresh credential from a broker (join/renew.ts), and keeps it. */
  readonly renew: () => Promise<BusCredential>;
  readonly log: Logger;
}

/** How long close waits for the server to take what was sent. */
const closeWithinMs = 2_000;

/** What an agent's bus is reached by: one subscription, and a connection to publish on. */
export type OpenLink = (ends: Pick<LinkOptions, "subject" | "receive" | "changed">) => Pick<Link, "start" | "close">;

/** The agent's bus over NATS: one subscription, one subject space to answer in, credentials renewed by itself. */
export function createAgentBus({ siteId, agentId, credential, renew, log }: AgentBusOptions): AgentBus {
  return createAgentBusOver((ends) => new Link({ ...ends, name: `longshore-agent-${agentId}`, credential, renew, log }), { siteId, agentId }, log);
}

/** The same over a link of somebody else's making. */
export function createAgentBusOver(openLink: OpenLink, agent: AgentAddress, log: Logger): AgentBus {
  return new AgentBusOverNats(openLink, agent, log);
}

class AgentBusOverNats implements AgentBus {
  readonly #agent: AgentAddress;
  readonly #log: Logger;
  readonly #outgoing: Outgoing;
  readonly #exchanges: Exchanges;
  readonly #link: ReturnType<OpenLink>;
  #connection: NatsConnection | undefined;
  #handlers: AgentBusHandlers | undefined;

  constructor(openLink: OpenLink, agent: AgentAddress, log: Logger) {
    this.#agent = agent;
    this.#log = log;
    this.#outgoing = new Outgoing(log);
    this.#exchanges = new Exchanges(agent, this.#outgoing, log);
    this.#link = openLink({ subject: agentInbound(agent), receive: (message) => this.#receive(message), changed: (connection) => this.#linkChanged(connection) });
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }

  start(handlers: AgentBusHandlers): Promise<void> {
    this.#handlers = handlers;
    return this.#link.start();
  }

  async close(): Promise<void> {
    const waiting = new AbortController();
    await Promise.race([this.#outgoing.flush(), delay(closeWithinMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
    waiting.abort();
    this.#exchanges.close();
    await this.#link.close();
    this.#outgoing.close();
  }

  heartbeat(heartbeat: Heartbeat): void {
    this.#publish(heartbeatSubject(this.#agent), heartbeat);
  }

  introduce(introduction: Introduction): void {
    this.#publish(introductionSubject(this.#agent), introduction);
  }

  outcome(frame: Frame): void {
    this.#publishBytes(outcomeSubject(this.#agent), encodeFrame(frame));
  }

  #publish(subject: string, document: unknown): void {
    this.#publishBytes(subject, encodeJson(document));
  }

  /** What is said again by itself: not kept when there is no connection. */
  #publishBytes(subject: string, payload: Uint8Array): void {
    if (this.#connection === undefined || this.#connection.isClosed()) return;
    try {
      this.#connection.publish(subject, payload);
    } catch (err) {
      this.#log.error({ err, subject }, "message cannot be sent"); // Larger than the bus takes.
    }
  }

  #linkChanged(connection: NatsConnection | undefined): void {
    const wasConnected = this.connected;
    this.#connection = connection;
    this.#outgoing.linkChanged(connection);
    if (this.connected !== wasConnected) this.#handlers?.connectionChanged(this.connected);
  }

  /** Nothing may be thrown into the client's reader: it would stop reading. */
  #receive(message: Msg): void {
    try {
      this.#dispatch(message);
    } catch (err) {
      this.#log.warn({ err, subject: message.subject }, "message from the bus dropped");
    }
  }

  #dispatch({ subject, data, headers }: Msg): void {
    const { verb, brokerId, token } = parseAgentSubject(subject) ?? {};
    if (brokerId === undefined || token === undefined || this.#handlers === undefined) return;
    switch (verb) {
      case "run":
      case "ask":
        this.#exchanges.open(verb, brokerId, token, data, this.#handlers);
        return;
      case "exchange":
        this.#exchanges.receive(brokerId, token, data);
        return;
      case "undelivered":
        if (data.length === 0 && headers?.code === 503) this.#exchanges.undelivered(brokerId, token);
        return;
      default:
    }
  }
}
