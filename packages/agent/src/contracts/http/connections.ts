import type { Clock } from "../../clock.ts";
import { Connection } from "./connection.ts";
import type { InstanceSocket } from "./instance-socket.ts";

/** How long an idle connection is trusted when the server announced nothing: some close theirs after two seconds. */
const silentKeepAliveMs = 1_000;
/** A connection is let go of this much before the server said it would close it, so that a request never meets the closing. */
const announcedMarginMs = 1_000;

/** The connections to one instance, kept alive between exchanges. Concurrency is the pool's to limit. */
export class Connections {
  readonly host: string;
  readonly port: number;
  readonly #clock: Clock;
  /** The one used last is at the end. */
  readonly #idle: Connection[] = [];
  readonly #open = new Set<Connection>();
  #isHttp2 = false;

  constructor(host: string, port: number, clock: Clock) {
    this.host = host;
    this.port = port;
    this.#clock = clock;
  }

  /** As a `Host` field names the instance, where the caller sent none. */
  get authority(): string {
    return `${this.host}:${this.port}`;
  }

  /** The server answered a connection with HTTP/2 before anything was asked. */
  get isHttp2(): boolean {
    return this.#isHttp2;
  }

  /** A connection for one exchange: the freshest idle one, else a new one that may still be connecting. */
  take(): Connection {
    const now = this.#clock.monotonicMs();
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (!connection.isClosed && now - connection.idleSinceMs < connection.keepAliveMs) return connection;
      this.discard(connection);
    }
    const connection = Connection.open(this.host, this.port, this.#onIdleClose);
    this.#open.add(connection);
    return connection;
  }

  /** Keeps a connection whose exchange ended cleanly. */
  keep(connection: Connection, announcedMs: number | undefined): void {
    connection.letGo();
    connection.idleSinceMs = this.#clock.monotonicMs();
    connection.keepAliveMs = announcedMs === undefined ? silentKeepAliveMs : announcedMs - announcedMarginMs;
    this.#idle.push(connection);
  }

  /** Takes over a connected socket, as an idle connection. */
  adopt(socket: InstanceSocket): void {
    const connection = new Connection(socket, this.#onIdleClose);
    this.#open.add(connection);
    this.keep(connection, undefined);
  }

  /** Closes a connection at once. */
  discard(connection: Connection): void {
    this.#open.delete(connection);
    connection.destroy();
  }

  /** Closes all, in use or not. */
  close(): void {
    for (const connection of this.#open) connection.destroy();
    this.#open.clear();
    this.#idle.length = 0;
  }

  readonly #onIdleClose = (connection: Connection, sawHttp2: boolean): void => {
    if (sawHttp2) this.#isHttp2 = true;
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
  };
}
