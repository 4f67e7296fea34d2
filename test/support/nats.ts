import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jwtAuthenticator, type NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import type { AgentId, BrokerId, SiteId } from "@longshore/protocol";
import type { BusCredential } from "../../packages/agent/src/bus/link.ts";
import { createAgentBus } from "../../packages/agent/src/bus/nats.ts";
import type { AgentBus } from "../../packages/agent/src/bus/bus.ts";
import type { FleetHandlers } from "../../packages/broker/src/bus/bus.ts";
import { createBus, type NatsBus } from "../../packages/broker/src/bus/nats.ts";
import { createEmbeddedServer, type EmbeddedBus, type EmbeddedServer } from "../../packages/broker/src/embedded/server.ts";
import type { ServerTls } from "../../packages/broker/src/embedded/configuration.ts";
import { agentJwt } from "../../packages/broker/src/identity/claims.ts";
import { createNkey, type Nkey, nkeyFromSeed } from "../../packages/broker/src/identity/nkey.ts";
import { silentLog } from "./silent-log.ts";

/** What set-up found, else the one on PATH. */
export const natsServerExecutable = process.env["LONGSHORE_NATS_SERVER"] ?? "nats-server";

export interface TestBusOptions {
  readonly port?: number;
  readonly tls?: ServerTls;
}

/** An agent's address as tests write it. */
export const address = (siteId: string, agentId: string) => ({ siteId: siteId as SiteId, agentId: agentId as AgentId });

/**
 * An embedded bus in a folder of its own under the system's temporary one. Whatever is made through it is closed with it; `close`
 * throws if a process or a file stays behind.
 */
export class TestBus implements AsyncDisposable {
  readonly dataFolder = mkdtempSync(join(tmpdir(), "longshore-bus-"));
  readonly #options: TestBusOptions;
  readonly #opened: (() => Promise<unknown>)[] = [];
  #server: EmbeddedServer | undefined;
  #bus: EmbeddedBus | undefined;

  private constructor(options: TestBusOptions) {
    this.#options = options;
  }

  static async start(options: TestBusOptions = {}): Promise<TestBus> {
    const testBus = new TestBus(options);
    await testBus.startServer();
    return testBus;
  }

  get bus(): EmbeddedBus {
    if (this.#bus === undefined) throw new Error("the bus is not started");
    return this.#bus;
  }

  /** Starts the server on the port it had before. */
  async startServer(): Promise<void> {
    const port = this.#bus?.port ?? this.#options.port ?? 0;
    this.#server = createEmbeddedServer({ dataFolder: this.dataFolder, executable: natsServerExecutable, listen: { host: "127.0.0.1", port }, tls: this.#options.tls, log: silentLog });
    this.#bus = await this.#server.start();
  }

  async stopServer(): Promise<void> {
    await this.#server?.close();
  }

  /** The server's process id, as it noted it. */
  get serverPid(): number {
    return (JSON.parse(readFileSync(join(this.dataFolder, "nats", "nats-server.json"), "utf8")) as { server: { pid: number } }).server.pid;
  }

  /** A broker's bus that is connected; with handlers it listens from its first moment. */
  async broker(brokerId: string, handlers?: FleetHandlers): Promise<NatsBus> {
    const { servers, ca, core, fleet } = this.bus.access;
    const bus = createBus({ brokerId: brokerId as BrokerId, core: { servers, ca, credential: core }, fleet: { servers, ca, credential: fleet }, log: silentLog });
    this.closeWith(() => bus.close());
    if (handlers !== undefined) bus.listen(handlers);
    await bus.start();
    return bus;
  }

  /** A credential as the broker would sign it. `lifeMs`: whole seconds; absent: it never expires. */
  credential(siteId: string, agentId: string, { key = createNkey("user"), lifeMs }: { key?: Nkey; lifeMs?: number } = {}): BusCredential {
    const { agentSignerSeed, fleetAccountKey, servers, ca } = this.bus.access;
    const jwt = agentJwt(nkeyFromSeed(agentSignerSeed, "account"), {
      ...address(siteId, agentId),
      name: agentId,
      publicKey: key.publicKey,
      accountKey: fleetAccountKey,
      ...(lifeMs !== undefined && { expiresAt: Math.floor((Date.now() + lifeMs) / 1000) }),
    });
    return { jwt, seed: key.seed, servers, ca };
  }

  /** An agent's bus, not started. */
  agent(siteId: string, agentId: string, credential = this.credential(siteId, agentId), renew: () => Promise<BusCredential> = () => Promise.reject(new Error("this test renews nothing"))): AgentBus {
    const bus = createAgentBus({ ...address(siteId, agentId), credential, renew, log: silentLog });
    this.closeWith(() => bus.close());
    return bus;
  }

  /** A plain connection, to do what our own code never does. */
  async connection(credential: { readonly jwt: string; readonly seed: string }): Promise<NatsConnection> {
    const connection = await connect({ servers: [...this.bus.access.servers], authenticator: jwtAuthenticator(credential.jwt, new TextEncoder().encode(credential.seed)), reconnect: false });
    this.closeWith(() => connection.close());
    return connection;
  }

  /** Has something closed before the server. */
  closeWith(close: () => Promise<unknown>): void {
    this.#opened.push(close);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const close of this.#opened.reverse()) await close();
    const pid = existsSync(join(this.dataFolder, "nats", "nats-server.json")) ? this.serverPid : undefined;
    await this.stopServer();
    if (pid !== undefined && existsSync(`/proc/${pid}`)) throw new Error(`nats-server ${pid} stays behind`);
    rmSync(this.dataFolder, { recursive: true });
    const left = readdirSync(tmpdir()).filter((name) => join(tmpdir(), name) === this.dataFolder);
    if (left.length > 0) throw new Error(`${this.dataFolder} stays behind`);
  }
}

/** A promise and what settles it, for events that a test awaits. */
export function event<T = void>(): { readonly happened: Promise<T>; readonly happen: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>();
  return { happened: promise, happen: resolve };
}
