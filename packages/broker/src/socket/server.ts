import { type BrokerId, chunkBytes, LongshoreError, maxHeadBytes, socketProtocol, streamPrefixBytes } from "@longshore/protocol";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { type WebSocket, WebSocketServer } from "ws";
import type { Invoker } from "../invocation/request.ts";
import type { Authenticate } from "./caller.ts";
import { type ConnectionContext, SocketConnection } from "./connection.ts";
import type { FleetEvents } from "./fleet-events.ts";
import { defaultSocketLimits, type SocketLimits } from "./limits.ts";
import { closeCodes, type Link } from "./link.ts";
import { isLoopbackAddress, isOwnOrigin } from "./origin.ts";
import type { Logs } from "./logs-exchange.ts";
import { refuseUpgrade } from "./refuse-upgrade.ts";
import type { Acceptor } from "./submission-exchange.ts";

/** What the WebSocket interface is made of. */
export interface SocketServerOptions {
  readonly invoker: Invoker;
  readonly acceptor: Acceptor;
  readonly authenticate: Authenticate;
  readonly events: FleetEvents;
  readonly logs: Logs;
  readonly brokerId: BrokerId;
  readonly log: Logger;
  /** Origins (`https://console.example.com`) whose pages may use a loopback fleet without a key. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<SocketLimits>;
  /** Told how long each invocation and submission took, from its open frame to its last; of one that its caller broke off nothing is told. */
  readonly exchanged?: ConnectionContext["exchanged"];
}

/** The WebSocket interface of a broker; the HTTP server hands it the upgrades of `/v1/socket`. */
export interface SocketServer {
  /** Takes over a connection, or answers it with an error; the HTTP server has nothing more to do with it. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes no further exchange, lets those under way finish for at most `deadlineMs`, then closes. */
  drain(deadlineMs: number): Promise<void>;
  /** Closes every socket now; resolves when all are gone. Idempotent. */
  close(): Promise<void>;
  /** Sockets and exchanges at this moment. */
  readonly load: { readonly sockets: number; readonly exchanges: number };
}

/** A frame's prefix takes 5 bytes; no message of this protocol is longer. */
const maxMessageBytes = streamPrefixBytes + 5 + maxHeadBytes + chunkBytes;
/** How long a peer may take to answer a close before it is cut. */
const closeGraceMs = 2_000;

/** Makes the WebSocket interface; no I/O before the first upgrade. */
export function createSocketServer(options: SocketServerOptions): SocketServer {
  return new WsSocketServer(options);
}

class WsSocketServer implements SocketServer {
  readonly #options: SocketServerOptions;
  readonly #context: ConnectionContext;
  readonly #connections = new Map<SocketConnection, WebSocket>();
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false, // Compression bombs, and a cost on each small message.
    maxPayload: maxMessageBytes,
    handleProtocols: (offered) => (offered.has(socketProtocol) ? socketProtocol : false),
  });
  #keepAlive: NodeJS.Timeout | undefined;
  #isDraining = false;
  readonly #whenEmpty = new Set<() => void>();

  constructor(options: SocketServerOptions) {
    const { invoker, acceptor, events, logs, brokerId, log, exchanged = () => undefined } = options;
    this.#options = options;
    this.#context = { invoker, acceptor, events, logs, brokerId, exchanged, log: log.child({ component: "socket" }), limits: { ...defaultSocketLimits, ...options.limits } };
  }

  get load(): { sockets: number; exchanges: number } {
    let exchanges = 0;
    for (const connection of this.#connections.keys()) exchanges += connection.exchangeCount;
    return { sockets: this.#connections.size, exchanges };
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { sockets } = this.#context.limits;
    if (this.#isDraining) return refuseUpgrade(socket, new LongshoreError("broker_draining", "Cannot open socket: the broker is draining"));
    if (this.#connections.size >= sockets) return refuseUpgrade(socket, new LongshoreError("quota", `Cannot open socket: ${sockets} are open`));
    this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#accept(webSocket, request, socket));
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    for (const connection of this.#connections.keys()) connection.drain();
    await this.#empty(deadlineMs);
    await this.close();
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    for (const connection of this.#connections.keys()) connection.close(closeCodes.goingAway, "closing");
    await this.#empty(closeGraceMs);
    for (const webSocket of this.#connections.values()) webSocket.terminate();
    clearInterval(this.#keepAlive);
  }

  #accept(webSocket: WebSocket, request: IncomingMessage, socket: Duplex): void {
    const connection = new SocketConnection(linkOver(webSocket, socket), this.#context, this.#identifier(request));
    this.#connections.set(connection, webSocket);
    this.#keepAlive ??= this.#startKeepAlive();
    webSocket.on("message", (message, isBinary) => {
      if (isBinary) connection.message(message as Buffer);
      else connection.fault(new LongshoreError("bad_frame", "Cannot read message: frames are binary messages"), closeCodes.unsupported);
    });
    webSocket.on("ping", () => connection.heard());
    webSocket.on("pong", () => connection.heard());
    webSocket.on("error", (err) => this.#context.log.info({ err }, "socket broke"));
    socket.on("drain", () => connection.drained());
    webSocket.on("close", () => {
      this.#connections.delete(connection);
      connection.closed();
      if (this.#connections.size === 0) for (const tell of this.#whenEmpty) tell();
    });
    if (webSocket.protocol !== socketProtocol) {
      connection.fault(new LongshoreError("bad_frame", `Cannot open socket: subprotocol "${socketProtocol}" is missing`, { field: "sec-websocket-protocol" }), closeCodes.protocolError);
    }
  }

  /** A browser's page is no proof of who sits there: one of another origin needs a key, like a caller from another machine. */
  #identifier(request: IncomingMessage) {
    const { authorization, origin, host } = request.headers;
    const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    const isOwn = isOwnOrigin(origin, host, this.#options.allowedOrigins ?? []);
    const loopback = isOwn && isLoopbackAddress(request.socket.remoteAddress);
    return (key: string | undefined) => {
      const given = key ?? bearer;
      if (given === undefined && !isOwn) throw new LongshoreError("not_allowed", `Cannot open socket: pages of ${origin ?? ""} need an API key`);
      return this.#options.authenticate(given, { loopback });
    };
  }

  #startKeepAlive(): NodeJS.Timeout {
    return setInterval(() => {
      for (const connection of this.#connections.keys()) connection.tick();
    }, this.#context.limits.keepAliveMs).unref();
  }

  /** Resolves when no socket is left, or when the time is over. */
  #empty(withinMs: number): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#whenEmpty.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#whenEmpty.add(done);
    });
  }
}

function linkOver(webSocket: WebSocket, socket: Duplex): Link {
  const writeTogether = corkForTurn(socket);
  return {
    send: (message) => {
      writeTogether();
      webSocket.send(message);
    },
    close: (code, reason) => {
      webSocket.close(code, reason);
      const timer = setTimeout(() => webSocket.terminate(), closeGraceMs).unref();
      webSocket.once("close", () => clearTimeout(timer));
    },
    terminate: () => webSocket.terminate(),
    ping: () => webSocket.ping(),
    pause: () => webSocket.pause(),
    resume: () => webSocket.resume(),
    get bufferedBytes() {
      return socket.writableLength;
    },
  };
}

/** What is sent in one turn of the event loop leaves in one write, which costs more than all the rest that a small answer needs here. */
function corkForTurn(socket: Duplex): () => void {
  let isCorked = false;
  return () => {
    if (isCorked) return;
    isCorked = true;
    socket.cork();
    setImmediate(() => {
      isCorked = false;
      socket.uncork();
    });
  };
}
