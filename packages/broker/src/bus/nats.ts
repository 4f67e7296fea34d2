import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { type AgentAddress, askSubject, type BrokerId, brokerQueueGroup, brokerSubscriptions, encodeNumberedFrame, exchangeSubject, type Frame, LongshoreError, replySubject, runSubject } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Bus, Exchange, ExchangeHandlers, FleetHandlers, Store } from "./bus.ts";
import { notConnected } from "./bus-error.ts";
import { type CountedEvent, countedEvents } from "./counted-events.ts";
import { createTokenSource, Exchanges } from "./exchanges.ts";
import { deliverFleetMessage } from "./fleet-messages.ts";
import { Link, type LinkTarget } from "./link.ts";
import { Questions } from "./questions.ts";
import { JetStreamStore } from "./store.ts";

export interface BusOptions {
  readonly brokerId: BrokerId;
  /** The brokers' own account: JetStream. */
  readonly core: LinkTarget;
  /** The account shared with agents: plain messages. */
  readonly fleet: LinkTarget;
  /** Copies that a cluster keeps of each bucket and stream; default 1. */
  readonly replicas?: number;
  readonly log: Logger;
}

export interface NatsBus extends Bus {
  /** Resolves when both connections stand; retries for as long as that takes, unless a credential is refused (`bus_down`). */
  start(): Promise<void>;
  /** Ends exchanges with `bus_down`, gives waiting records a moment to be stored, closes. Idempotent. */
  close(): Promise<void>;
}

/** How long close waits for records that are not yet stored. */
const closeFlushMs = 2_000;

/** The bus over NATS: a connection in each account, reconnected by itself. */
export function createBus(options: BusOptions): NatsBus {
  return new BusOverNats(options);
}

class BusOverNats implements NatsBus {
  readonly brokerId: BrokerId;
  /** Each from the beginning: a rate is told of what was seen to rise, not of what came into being. */
  readonly counters = new Map<CountedEvent, number>(countedEvents.map((event) => [event, 0]));
  readonly #log: Logger;
  readonly #exchanges: Exchanges;
  readonly #nextToken = createTokenSource();
  readonly #core: Link;
  readonly #fleet: Link;
  readonly #store: JetStreamStore;
  readonly #questions: Questions;
  readonly #connectionHandlers: ((connected: boolean) => void)[] = [];
  #fleetHandlers: FleetHandlers | undefined;
  #wasConnected = false;

  constructor(options: BusOptions) {
    this.brokerId = options.brokerId;
    this.#log = options.log;
    this.#exchanges = new Exchanges((event) => this.#count(event), options.log);
    this.#store = new JetStreamStore({ replicas: options.replicas ?? 1, log: options.log, count: (event) => this.#count(event) });
    this.#questions = new Questions(options.brokerId, options.log);
    this.#core = new Link({
      ...options.core,
      name: `longshore-broker-${options.brokerId}-core`,
      log: options.log,
      prepare: (connection) => {
        this.#questions.subscribe(connection);
        return this.#store.prepare(connection);
      },
      changed: (connection) => {
        this.#store.connectionChanged(connection);
        this.#connectionChanged();
      },
    });
    this.#fleet = new Link({
      ...options.fleet,
      name: `longshore-broker-${options.brokerId}-fleet`,
      log: options.log,
      prepare: (connection) => this.#subscribe(connection),
      changed: (connection) => {
        if (connection === undefined) this.#exchanges.failAll();
        this.#connectionChanged();
      },
    });
  }

  get store(): Store {
    return this.#store;
  }

  get connected(): boolean {
    return this.#core.connection !== undefined && this.#fleet.connection !== undefined;
  }

  async start(): Promise<void> {
    await Promise.all([this.#core.start(), this.#fleet.start()]);
  }

  async close(): Promise<void> {
    this.#exchanges.failAll();
    if (this.#core.connection !== undefined) await this.#store.drain(closeFlushMs);
    await Promise.all([this.#core.close(), this.#fleet.close()]);
  }

  listen(handlers: FleetHandlers): void {
    this.#fleetHandlers = handlers;
  }

  askBrokers(question: unknown, waitMs: number): Promise<unknown> {
    return this.#questions.ask(this.#core.connection, question, waitMs);
  }

  answerBrokers(handler: (question: unknown) => unknown): void {
    this.#questions.answerWith(handler);
  }

  onConnectionChange(handler: (connected: boolean) => void): void {
    this.#connectionHandlers.push(handler);
  }

  open(agent: AgentAddress, verb: "run" | "ask", head: unknown, body: Uint8Array, handlers: ExchangeHandlers): Exchange {
    const connection = this.#fleet.connection;
    if (connection === undefined || connection.isClosed()) throw notConnected(`send to agent "${agent.agentId}"`);
    const token = this.#nextToken();
    const reply = replySubject(agent, this.brokerId, token);
    const subject = (verb === "run" ? runSubject : askSubject)(agent, this.brokerId, token);
    this.#exchanges.begin(reply, handlers);
    try {
      // The reply field is for the server alone: its "no responders" comes back on it. The agent builds that subject by itself.
      connection.publish(subject, encodeNumberedFrame({ kind: "open", head, body }, 1), { reply });
    } catch (error) {
      this.#exchanges.forget(reply);
      throw LongshoreError.from(error, `Cannot send to agent "${agent.agentId}"`);
    }
    return this.#exchange(connection, exchangeSubject(agent, this.brokerId, token), reply);
  }

  #exchange(connection: NatsConnection, subject: string, reply: string): Exchange {
    let number = 1;
    let isOpen = true;
    return {
      send: (frame: Frame) => {
        // On a lost connection nothing is sent: `failed("bus_down")` is on its way.
        if (!isOpen || connection.isClosed()) return;
        number += 1;
        connection.publish(subject, encodeNumberedFrame(frame, number));
      },
      close: () => {
        isOpen = false;
        this.#exchanges.forget(reply);
      },
    };
  }

  #subscribe(connection: NatsConnection): void {
    const unasked = { callback: (error: Error | null, message: Msg) => this.#fleetMessage(error, message) };
    connection.subscribe(brokerSubscriptions.replies(this.brokerId), { callback: (error, message) => this.#reply(error, message) });
    connection.subscribe(brokerSubscriptions.heartbeats, unasked);
    connection.subscribe(brokerSubscriptions.introductions, unasked);
    connection.subscribe(brokerSubscriptions.orphans, { ...unasked, queue: brokerQueueGroup });
    connection.subscribe(brokerSubscriptions.outcomes, { ...unasked, queue: brokerQueueGroup });
  }

  #reply(error: Error | null, message: Msg): void {
    if (error !== null) return;
    if (message.data.length === 0 && message.headers?.code === 503) this.#exchanges.noResponders(message.subject);
    else this.#exchanges.receive(message.subject, message.data);
  }

  #fleetMessage(error: Error | null, message: Msg): void {
    if (error !== null || this.#fleetHandlers === undefined) return;
    try {
      deliverFleetMessage(message.subject, message.data, this.#fleetHandlers);
    } catch (err) {
      this.#count("malformed_messages");
      this.#log.debug({ err, subject: message.subject }, "message from an agent dropped");
    }
  }

  #connectionChanged(): void {
    if (this.connected === this.#wasConnected) return;
    this.#wasConnected = this.connected;
    for (const handler of this.#connectionHandlers) handler(this.connected);
  }

  #count(event: CountedEvent): void {
    this.counters.set(event, (this.counters.get(event) ?? 0) + 1);
  }
}
