import { randomBytes } from "node:crypto";
import type { BrokerId } from "@longshore/protocol";
import type { Logger } from "pino";
import { brokerUrls, localUrl } from "./addresses.ts";
import { createBus, type NatsBus } from "./bus/nats.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type BrokerConfig, isLoopbackHost, splitAddress } from "./config.ts";
import { createCore, type Core } from "./core.ts";
import { DurabilityWatch } from "./durability/durability-watch.ts";
import { createLook } from "./durability/look.ts";
import { armFailpoint } from "./failpoint.ts";
import { readConsole } from "./http/console.ts";
import { createHttpServer, type HttpServer } from "./http/server.ts";
import { defaultHttpLimits } from "./http/limits.ts";
import { createIdentity, type Identity } from "./identity/identity.ts";
import { openBus, type OpenedBus } from "./open-bus.ts";
import { goFirst } from "./priority.ts";
import { createSocketServer, type SocketServer } from "./socket/server.ts";
import { readTls } from "./tls.ts";
import type { Tracing } from "./traces/tracing.ts";

export interface BrokerDependencies {
  readonly log: Logger;
  readonly clock?: Clock;
}

/** A broker as it runs. */
export interface RunningBroker {
  /** Where it listens, as this host reaches it. */
  readonly url: string;
  readonly brokerId: string;
  /** Made once in a fleet's life, and shown this once; absent where it was made before. */
  readonly apiKey: string | undefined;
  /** The authority (PEM) that its certificate comes from, where it is the broker's own. */
  readonly caFile: string | undefined;
}

/** One replica of the fleet's brokers. */
export interface Broker {
  /** Resolves when it takes calls. What fails leaves nothing behind. */
  start(): Promise<RunningBroker>;
  /** Takes nothing new, lets what is under way finish for at most that long, then closes. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends at once; runs under way go on at their agents. Idempotent. */
  close(): Promise<void>;
}

/** Puts a broker together; no I/O before `start`. */
export function createBroker(config: BrokerConfig, { log, clock = systemClock }: BrokerDependencies): Broker {
  return new WiredBroker(config, log, clock);
}

/** Everything that has begun, to be closed in the opposite order. */
interface Started {
  opened?: OpenedBus;
  bus?: NatsBus;
  durability?: DurabilityWatch;
  identity?: Identity;
  tracing?: Tracing | undefined;
  core?: Core;
  sockets?: SocketServer;
  http?: HttpServer;
}

/** What has to have begun before calls are taken. */
type Listening = Required<Pick<Started, "core" | "identity" | "opened">>;

class WiredBroker implements Broker {
  readonly #config: BrokerConfig;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #brokerId = `b-${randomBytes(6).toString("hex")}` as BrokerId;
  #started: Started = {};
  #port: number | undefined;
  #isDraining = false;

  constructor(config: BrokerConfig, log: Logger, clock: Clock) {
    this.#config = config;
    this.#log = log;
    this.#clock = clock;
  }

  async start(): Promise<RunningBroker> {
    this.#log.info({ config: this.#config, brokerId: this.#brokerId }, "broker starts");
    armFailpoint(this.#config.failpoint);
    goFirst(process.pid);
    try {
      return await this.#begin(this.#started);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    const { http, core } = this.#started;
    await Promise.all([http?.drain(deadlineMs), core?.drain(deadlineMs)]);
    await this.close();
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    const { opened, bus, durability, identity, tracing, core, http } = this.#started;
    this.#started = {};
    await http?.close();
    durability?.close();
    await core?.close();
    await tracing?.close();
    identity?.close();
    await bus?.close();
    await opened?.close();
  }

  async #begin(started: Started): Promise<RunningBroker> {
    const opened = (started.opened = await openBus(this.#config, this.#log));
    const bus = (started.bus = this.#createBus(opened));
    const durability = (started.durability = this.#createDurability(opened, bus));
    const identity = (started.identity = this.#createIdentity(opened, bus));
    const tracing = (started.tracing = await this.#openTracing());
    const core = (started.core = createCore({ bus, identity, durability, tracing, webhookAllow: this.#config.webhookAllow, clock: this.#clock, log: this.#log, limits: { backlogPerFunction: this.#config.backlogMax, backlogWaitMs: this.#config.backlogMs }, sealKeyFile: this.#config.sealKeyFile, problem: () => this.#problem() }));
    await bus.start();
    await durability.start();
    const { firstKey } = await identity.start();
    await core.start();
    const port = await this.#listen(started, { core, identity, opened });
    this.#log.info({ brokerId: this.#brokerId, port }, "broker is ready");
    return { url: localUrl(this.#config, port), brokerId: this.#brokerId, apiKey: firstKey, caFile: opened.certificates?.caFile };
  }

  /** OpenTelemetry's libraries are loaded where they are used: a broker without traces does without them. */
  async #openTracing(): Promise<Tracing | undefined> {
    const { tracesUrl: url, tracesRatio: sampleRatio } = this.#config;
    if (url === undefined) return undefined;
    const { openTracing } = await import("./traces/otlp.ts");
    return openTracing({ url, sampleRatio, brokerId: this.#brokerId, log: this.#log.child({ component: "traces" }) });
  }

  #createBus({ access }: OpenedBus): NatsBus {
    const { servers, ca } = access;
    return createBus({
      brokerId: this.#brokerId,
      core: { servers, ca, credential: access.core },
      fleet: { servers, ca, credential: access.fleet },
      replicas: this.#config.busReplicas,
      log: this.#log.child({ component: "bus" }),
    });
  }

  #createIdentity({ access, agentServers, certificates }: OpenedBus, bus: NatsBus): Identity {
    return createIdentity({
      store: bus.store,
      access,
      joinUrls: () => brokerUrls(this.#config, this.#port ?? splitAddress(this.#config.listen).port),
      agentServers: () => agentServers,
      ca: certificates === undefined ? undefined : { ...certificates.ca, pem: `${certificates.ca.pem}${access.ca !== undefined && access.ca !== certificates.ca.pem ? access.ca : ""}` },
      log: this.#log.child({ component: "identity" }),
    });
  }

  #createDurability({ access }: OpenedBus, bus: NatsBus): DurabilityWatch {
    const log = this.#log.child({ component: "durability" });
    const look = createLook({ access, monitoring: this.#config.busMonitoring, log });
    const durability = new DurabilityWatch({ look, acceptsUnsynced: this.#config.busDurability === "unsynced", clock: this.#clock, log });
    bus.onConnectionChange((isConnected) => isConnected && void durability.look());
    return durability;
  }

  async #listen(started: Started, { core, identity, opened }: Listening): Promise<number> {
    const { allowedOrigins, consoleFolder, maxBodyBytes, listen } = this.#config;
    const address = splitAddress(listen);
    const trustsLoopback = isLoopbackHost(address.host);
    const authenticate: Identity["authenticate"] = (bearer, { loopback }) => identity.authenticate(bearer, { loopback: loopback && trustsLoopback });
    const sockets = (started.sockets = createSocketServer({ invoker: core.dispatcher, acceptor: core.queue, authenticate, events: core.hub, logs: core.logs, brokerId: this.#brokerId, allowedOrigins, exchanged: core.exchanged, log: this.#log }));
    started.http = createHttpServer({
      parts: core.parts(() => sockets.load.sockets),
      invoker: core.dispatcher,
      socketServer: sockets,
      callers: { authenticate, trustsLoopback, allowedOrigins },
      signatures: core.signatures,
      limits: { ...defaultHttpLimits, bodyBytes: maxBodyBytes },
      console: readConsole(consoleFolder),
      listen: address,
      tls: readTls(this.#config, opened.certificates),
      log: this.#log,
    });
    this.#port = await started.http.start();
    return this.#port;
  }

  #problem(): string | undefined {
    if (this.#isDraining) return "draining";
    return this.#started.bus?.connected === true ? undefined : "the bus is not connected";
  }
}
