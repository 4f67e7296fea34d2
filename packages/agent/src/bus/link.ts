import { setTimeout as delay } from "node:timers/promises";
import { AuthorizationError, jwtAuthenticator, type Msg, type NatsConnection, UserAuthenticationExpiredError } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import { type CredentialLife, lifeOf, untilRenewalMs } from "./credential-life.ts";

/** What an agent shows the bus, and where. */
export interface BusCredential {
  readonly jwt: string;
  /** The nkey seed, `SU…`. */
  readonly seed: string;
  readonly servers: readonly string[];
  /** CA certificates (PEM) the servers are checked against; TLS is spoken from the first byte then. */
  readonly ca?: string | undefined;
}

export interface LinkOptions {
  readonly name: string;
  readonly credential: BusCredential;
  /** Gets a fresh credential. Throws what the broker said; whatever is neither unauthenticated nor permission_denied is tried again. */
  readonly renew: () => Promise<BusCredential>;
  /** All that the agent hears. */
  readonly subject: string;
  readonly receive: (message: Msg) => void;
  /** Told of the connection to publish on, and of its loss. */
  readonly changed: (connection: NatsConnection | undefined) => void;
  readonly log: Logger;
}

/** A connection that is up, and the life of the credential it was made with. */
interface Standing {
  readonly connection: NatsConnection;
  readonly life: CredentialLife | undefined;
}

/** For so long both connections listen before the old one goes: subscriptions take a while to be known in a whole cluster. */
const overlapMs = 400;
/** Between attempts to connect, or to renew: 100 ms, doubling to 5 s. */
const retryDelayMs = (failures: number) => Math.min(5_000, 100 * 2 ** Math.min(failures, 10));
/** A credential this close to its end is renewed before it is shown. */
const expiryMarginMs = 500;
const closeWithinMs = 2_000;

/**
 * An agent's link to the bus, kept up until closed.
 *
 * ```
 *            connected              two thirds of its life are over
 *   down ───────────────▶ up(current) ──────────────────────────▶ overlap(current, next) ──▶ up(next), current drained
 *     ▲                      │ lost
 *     └──────────────────────┘
 * ```
 *
 * Invariants: L1 during an overlap both connections listen, so that no message falls between them; most come twice, and are told
 * apart by who receives them. L2 publications go out on one connection: the latest that is up. L3 a connection is left only by
 * draining it. The client library's own reconnection is off: it gives up after repeated refusals.
 */
export class Link {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  readonly #connections = new Set<NatsConnection>();
  #credential: BusCredential;
  #running: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#credential = options.credential;
  }

  /** Resolves when first connected, however long that takes; throws when the broker refuses to renew a credential that ran out. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#running = this.#run(resolve).catch(reject);
    });
  }

  /** Stops listening, lets what was published arrive, closes. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([...this.#connections].map((connection) => this.#leave(connection)));
    await this.#running;
  }

  async #run(firstUp: () => void): Promise<void> {
    let wasUp = false;
    let isRefused = false;
    for (let failures = 0; !this.#isClosing(); failures += 1) {
      try {
        if (isRefused || this.#isExpired()) await this.#renew();
        const standing = await this.#dial();
        wasUp = true;
        isRefused = false;
        failures = 0;
        firstUp();
        await this.#hold(standing);
      } catch (error) {
        if (!wasUp && isFinal(error)) throw error;
        isRefused = error instanceof AuthorizationError || error instanceof UserAuthenticationExpiredError;
        if (!this.#isClosing()) this.#options.log.warn({ err: error, servers: this.#credential.servers, failures }, "bus not reached");
      }
      await this.#pause(retryDelayMs(failures));
    }
    if (!wasUp) throw new LongshoreError("bus_down", "Cannot connect to the bus: closed before it was reached");
  }

  /** Stays with a connection, and those that follow it by renewal, until the last one is lost. */
  async #hold(first: Standing): Promise<void> {
    let current = first;
    this.#options.changed(current.connection);
    while (await this.#isRenewalDue(current)) {
      const next = await this.#follower(current);
      if (next === undefined) continue;
      this.#options.changed(next.connection); // L2
      void this.#leave(current.connection); // L3
      current = next;
    }
    this.#options.changed(undefined);
    if (!this.#isClosing()) this.#options.log.warn("bus connection lost");
  }

  /** False when the connection was lost first. */
  async #isRenewalDue({ connection, life }: Standing): Promise<boolean> {
    if (life !== undefined) return this.#outlives(connection, untilRenewalMs(life, Date.now()));
    await connection.closed();
    return false;
  }

  /** A connection with a fresh credential, after both have listened for a while; undefined when there is none yet. L1 */
  async #follower(current: Standing): Promise<Standing | undefined> {
    try {
      if (lifeOf(this.#credential.jwt)?.issuedAtMs === current.life?.issuedAtMs) await this.#renew();
      const next = await this.#dial();
      await this.#outlives(current.connection, overlapMs);
      if (!next.connection.isClosed()) return next;
    } catch (err) {
      this.#options.log.warn({ err }, "credential not renewed");
    }
    await this.#outlives(current.connection, renewalPauseMs(current.life));
    return undefined;
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async #renew(): Promise<void> {
    this.#credential = await this.#options.renew();
    this.#options.log.info("credential renewed");
  }

  async #dial(): Promise<Standing> {
    const { jwt, seed, servers, ca } = this.#credential;
    const isSecure = ca !== undefined || servers.some((server) => server.startsWith("tls://"));
    const connection = await connect({
      name: this.#options.name,
      servers: [...servers],
      authenticator: jwtAuthenticator(jwt, new TextEncoder().encode(seed)),
      reconnect: false,
      timeout: 5_000,
      pingInterval: 5_000,
      maxPingOut: 2,
      noAsyncTraces: true,
      ...(isSecure && { tls: { handshakeFirst: true, ...(ca !== undefined && { ca }) } }),
    });
    this.#connections.add(connection);
    void connection.closed().then(() => this.#connections.delete(connection));
    void this.#logErrors(connection);
    connection.subscribe(this.#options.subject, {
      callback: (error, message) => {
        if (error === null) this.#options.receive(message);
      },
    });
    // The client never settles a flush whose connection closes.
    await Promise.race([connection.flush(), connection.closed()]);
    if (this.#isClosing()) await connection.close();
    if (connection.isClosed()) throw new Error("the connection was closed as soon as it stood");
    return { connection, life: lifeOf(jwt) };
  }

  #isExpired(): boolean {
    const life = lifeOf(this.#credential.jwt);
    return life !== undefined && Date.now() > life.expiresAtMs - expiryMarginMs;
  }

  /** Waits, at most until the connection is lost; tells whether it still stands. */
  async #outlives(connection: NatsConnection, forMs: number): Promise<boolean> {
    const waiting = new AbortController();
    const pause = delay(forMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([pause, connection.closed()]);
    waiting.abort();
    return !connection.isClosed();
  }

  #pause(forMs: number): Promise<void> {
    return delay(forMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }

  async #leave(connection: NatsConnection): Promise<void> {
    const drained = connection.isClosed() ? Promise.resolve() : connection.drain().catch(() => undefined);
    const waiting = new AbortController();
    await Promise.race([drained, delay(closeWithinMs, undefined, { signal: waiting.signal }).catch(() => undefined)]);
    waiting.abort();
    await connection.close();
  }

  async #logErrors(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === "error") this.#options.log.error({ err: status.error }, "bus error");
    }
  }
}

/** Several attempts to renew fit into what is left of a credential's life. */
function renewalPauseMs(life: CredentialLife | undefined): number {
  return Math.min(60_000, Math.max(100, ((life?.expiresAtMs ?? 0) - Date.now()) / 10));
}

/** The broker has decided: asking again changes nothing. */
function isFinal(error: unknown): boolean {
  return error instanceof LongshoreError && (error.code === "permission_denied" || error.code === "unauthenticated");
}
