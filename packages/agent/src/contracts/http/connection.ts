import { isHttp2Settings } from "./http2.ts";
import { InstanceSocket } from "./instance-socket.ts";
import type { RequestKind } from "./response-head.ts";
import { type ResponseEvents, ResponseParser } from "./response-parser.ts";

/** What a connection tells the exchange that uses it: the answer, and what becomes of the connection. */
export interface ConnectionEvents extends ResponseEvents {
  /** Room for more of the request. */
  onDrain(): void;
  /** Bytes of the other protocol, after `onUpgrade`. */
  onTunnelData(bytes: Buffer): void;
  /** The connection ended before the answer (or while the tunnel stood). `wasOpen`: it stood before, so that bytes may have been sent. */
  onClose(wasOpen: boolean): void;
}

/**
 * One connection to an instance: one exchange at a time, kept alive in between.
 *
 * ```
 *  connecting ──▶ busy ⇄ idle        busy ──▶ tunnel
 *       └───────────┴──────┴────────────────────┴──▶ closed
 * ```
 */
export class Connection {
  readonly #socket: InstanceSocket;
  readonly #parser = new ResponseParser();
  readonly #onIdleClose: (connection: Connection, sawHttp2: boolean) => void;
  #events: ConnectionEvents | undefined;
  #isTunnel = false;
  #wasOpen: boolean;
  #sawHttp2 = false;
  /** When it last fell idle, and for how long from then the server is trusted to keep it. */
  idleSinceMs = 0;
  keepAliveMs = 0;

  /** Takes over a socket, connected or connecting. `onIdleClose`: it ended, or spoke unasked, while no exchange used it. */
  constructor(socket: InstanceSocket, onIdleClose: (connection: Connection, sawHttp2: boolean) => void) {
    this.#socket = socket;
    this.#onIdleClose = onIdleClose;
    this.#wasOpen = socket.readyState === "open";
    socket.on("connect", () => {
      this.#wasOpen = true;
    });
    socket.on("data", (bytes: Buffer) => {
      this.#read(bytes);
    });
    socket.on("drain", () => this.#events?.onDrain());
    socket.on("end", () => {
      if (this.#isTunnel) return; // What was written to it is still flushed before it closes.
      this.#parser.finish();
      socket.destroy();
    });
    socket.on("error", () => undefined); // `close` follows and says all that is needed.
    socket.on("close", () => {
      this.#closed();
    });
  }

  /** Opens a connection; requests may be written at once. */
  static open(host: string, port: number, onIdleClose: (connection: Connection, sawHttp2: boolean) => void): Connection {
    return new Connection(InstanceSocket.open(host, port), onIdleClose);
  }

  /** Gives the connection to one exchange. */
  use(request: RequestKind, events: ConnectionEvents): void {
    this.#events = events;
    this.#parser.expect(request, events);
  }

  /** The exchange is over and the connection idle. */
  letGo(): void {
    this.#events = undefined;
    this.#socket.resume();
  }

  /** From now on bytes are passed through both ways. */
  becomeTunnel(): void {
    this.#isTunnel = true;
  }

  /** Sends bytes; false when the sender should wait for `onDrain`. */
  write(bytes: Uint8Array): boolean {
    return this.#socket.write(bytes);
  }

  /** Sends several pieces as one. */
  writeAll(pieces: readonly Uint8Array[]): boolean {
    this.#socket.cork();
    let hasRoom = true;
    for (const piece of pieces) hasRoom = this.#socket.write(piece);
    this.#socket.uncork();
    return hasRoom;
  }

  /** Ends the sending side of a tunnel. */
  endWrites(): void {
    this.#socket.end();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Closes it at once; whoever uses it hears no more. */
  destroy(): void {
    this.#events = undefined;
    this.#socket.destroy();
  }

  get isClosed(): boolean {
    return this.#socket.destroyed || this.#socket.readableEnded;
  }

  #read(bytes: Buffer): void {
    if (this.#isTunnel) return this.#events?.onTunnelData(bytes);
    if (this.#events !== undefined) return this.#parser.push(bytes);
    this.#sawHttp2 = isHttp2Settings(bytes);
    this.#socket.destroy(); // Nobody asked: what follows could be taken for an answer.
  }

  #closed(): void {
    const events = this.#events;
    this.#events = undefined;
    if (events === undefined) this.#onIdleClose(this, this.#sawHttp2);
    else events.onClose(this.#wasOpen);
  }
}
