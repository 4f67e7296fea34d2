import { setTimeout as delay } from "node:timers/promises";
import { jwtAuthenticator, type NatsConnection, AuthorizationError } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";

/** A user of the bus: what it is allowed (JWT), and the key that proves it (nkey seed). */
export interface Credential {
  readonly jwt: string;
  readonly seed: string;
}

/** Where one account of the bus is reached, and as whom. */
export interface LinkTarget {
  readonly servers: readonly string[];
  readonly credential: Credential;
  /** CA certificates (PEM) the servers are checked against; TLS is spoken from the first byte then. */
  readonly ca?: string | undefined;
}

export interface LinkOptions extends LinkTarget {
  /** Shown by the server's monitoring. */
  readonly name: string;
  readonly log: Logger;
  /** Subscribes on a fresh connection; the link counts as up once this and a flush are done. */
  readonly prepare: (connection: NatsConnection) => Promise<void> | void;
  /** Told of each connection that is up, and of its loss. */
  readonly changed: (connection: NatsConnection | undefined) => void;
}

/** Between two attempts to connect: 100 ms, doubling to 2 s, so that new calls run within 10 s of a server's return. */
export const reconnectDelayMs = (failures: number) => Math.min(2_000, 100 * 2 ** Math.min(failures, 10));

/** How long leaving may take: a flush to the server. */
const leaveMs = 1_000;

/** The client's settings on every connection: a frozen server is noticed within 15 s. */
export function connectionOptions(target: LinkTarget, name: string) {
  const secure = target.ca !== undefined || target.servers.some((server) => server.startsWith("tls://"));
  return {
    name,
    servers: [...target.servers],
    authenticator: jwtAuthenticator(target.credential.jwt, new TextEncoder().encode(target.credential.seed)),
    reconnect: false,
    timeout: 5_000,
    pingInterval: 5_000,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(secure && { tls: { handshakeFirst: true, ...(target.ca !== undefined && { ca: target.ca }) } }),
  };
}

/**
 * One connection, kept up until closed. The client library's own reconnection is off: it gives up after repeated refusals, and
 * replays what was buffered while nobody listened.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  #connection: NatsConnection | undefined;
  #running: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The connection as it stands; undefined while there is none. */
  get connection(): NatsConnection | undefined {
    return this.#connection;
  }

  /** Resolves when first connected, however long that takes; throws `bus_down` when the server refuses the credential, or on close. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve).catch((error: unknown) => {
        reject(new LongshoreError("bus_down", `Cannot connect to the bus at ${this.#options.servers.join(", ")}: ${describe(error)}`, { cause: error }));
      });
    });
  }

  /** Leaves the bus; the server knows it by then, so that whoever sends afterwards is told that nobody listens. */
  async close(): Promise<void> {
    this.#closing.abort();
    const connection = this.#connection;
    if (connection !== undefined) {
      // A server that answers no more is not waited for.
      await Promise.race([connection.drain().catch(() => undefined), connection.closed(), delay(leaveMs, undefined, { ref: false })]);
      await connection.close();
    }
    await this.#running;
  }

  async #run(firstUp: () => void): Promise<void> {
    let wasUp = false;
    let failures = 0;
    while (!this.#closing.signal.aborted) {
      try {
        const connection = await this.#dial();
        wasUp = true;
        failures = 0;
        firstUp();
        await connection.closed();
        this.#lost();
      } catch (error) {
        if (!wasUp && error instanceof AuthorizationError) throw error;
        this.#options.log.warn({ err: error, servers: this.#options.servers, failures }, "bus not reached");
      }
      await delay(reconnectDelayMs(failures), undefined, { signal: this.#closing.signal }).catch(() => undefined);
      failures += 1;
    }
    if (!wasUp) throw new Error("closed before it was connected");
  }

  async #dial(): Promise<NatsConnection> {
    const connection = await connect(connectionOptions(this.#options, this.#options.name));
    try {
      void this.#logErrors(connection);
      await this.#options.prepare(connection);
      // The client never settles a flush whose connection closes.
      await Promise.race([connection.flush(), connection.closed()]);
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      await connection.close();
      throw error;
    }
    this.#connection = connection;
    this.#options.changed(connection);
    return connection;
  }

  #lost(): void {
    this.#connection = undefined;
    this.#options.changed(undefined);
    if (!this.#closing.signal.aborted) this.#options.log.warn("bus connection lost");
  }

  async #logErrors(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "error") this.#options.log.error({ err: status.error }, "bus error");
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
