import { decodeFrame, encodeFrame, type Frame, LongshoreError, maxExchanges, readStream, type SocketOpen, socketProtocol, socketWelcomeSchema, streamPrefixBytes, writeStream } from "@longshore/protocol";
import type { ResolvedOptions } from "./options.ts";
import { readError } from "./read-answer.ts";
import { setQuietInterval, setQuietTimeout } from "./timer.ts";
import type { WebSocketConstructor, WebSocketLike } from "./web-socket.ts";

const handshakeStream = 0;
const lastStream = 0xffff_ffff;
const nothing = new Uint8Array(0);
/** Without a word from the broker for that long while something is under way, it is asked; without one for as long again, it is gone. */
export const patienceMs = 15_000;

/** One exchange on a socket. */
export interface SocketExchange {
  /** Takes a frame; what it throws comes back as {@link fail}. */
  frame(frame: Frame): void;
  /** Nothing more comes: the socket is gone, or what came made no sense. */
  fail(error: LongshoreError): void;
}

/** Whoever keeps a socket is told what becomes of it. */
export interface SocketOwner {
  /** A broker takes exchanges on it. */
  welcomed(link: SocketLink): void;
  /** It is gone, or was never welcomed: with what the broker said, or `connection_lost`. */
  closed(link: SocketLink, error: LongshoreError): void;
}

/**
 * One WebSocket and the exchanges on it: greeting → open → draining (the broker takes no more) → closed.
 *
 * Invariants: L1 an exchange is in the map until it finishes or is told that it failed, and is told so once. L2 whatever a broker
 * sends, nothing is thrown into the WebSocket's event.
 */
export class SocketLink {
  readonly #socket: WebSocketLike;
  readonly #options: ResolvedOptions;
  readonly #owner: SocketOwner;
  readonly #exchanges = new Map<number, SocketExchange>();
  #phase: "greeting" | "open" | "draining" | "closed" = "greeting";
  #lastStream = 0;
  #takes: readonly string[] = [];
  readonly #greeting: ReturnType<typeof setTimeout>;
  #pulse: ReturnType<typeof setInterval> | undefined;
  #isHeard = true;
  #isAsked = false;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #idleSinceMs = 0;

  /** Begins to open it; throws what the WebSocket's constructor throws. */
  constructor(options: ResolvedOptions, WebSocketOf: WebSocketConstructor, owner: SocketOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#socket = new WebSocketOf(options.socketUrl, socketProtocol);
    this.#socket.binaryType = "arraybuffer";
    this.#greeting = setTimeout(() => this.close(this.#unreachable()), options.connectTimeoutMs);
    const { key } = options;
    this.#socket.addEventListener("open", () => this.send(handshakeStream, { kind: "open", head: key === undefined ? {} : { key }, body: nothing }));
    this.#socket.addEventListener("message", ({ data }: { data: ArrayBuffer }) => this.#receive(data));
    this.#socket.addEventListener("error", () => undefined); // A close follows.
    this.#socket.addEventListener("close", () => this.close(this.#phase === "greeting" ? this.#unreachable() : this.#broken("The connection broke")));
  }

  /** True while further exchanges may begin. */
  get isUsable(): boolean {
    return this.#phase === "open" && this.#exchanges.size < maxExchanges && this.#lastStream < lastStream;
  }

  /** Whether its broker takes exchanges of that kind, which an older one may not know. */
  takes(what: SocketOpen["what"]): boolean {
    return this.#takes.includes(what);
  }

  /** Begins an exchange on a usable socket; returns its stream number. */
  open(exchange: SocketExchange, head: unknown, body: Uint8Array): number {
    this.#lastStream += 1;
    this.#exchanges.set(this.#lastStream, exchange);
    this.send(this.#lastStream, { kind: "open", head, body });
    return this.#lastStream;
  }

  send(stream: number, frame: Frame): void {
    if (this.#phase !== "closed") this.#socket.send(writeStream(encodeFrame(frame, streamPrefixBytes), stream));
  }

  /** The exchange is over. */
  finish(stream: number): void {
    if (!this.#exchanges.delete(stream) || this.#exchanges.size > 0 || this.#phase === "closed") return;
    if (this.#phase === "draining") this.close();
    else this.#closeWhenIdle();
  }

  /** Ends it; what is under way fails with the error. Idempotent. */
  close(error = new LongshoreError("connection_lost", "The connection was closed", { phase: "execution" })): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    clearTimeout(this.#greeting);
    clearInterval(this.#pulse);
    clearTimeout(this.#idle);
    this.#socket.close();
    this.#owner.closed(this, error);
    for (const exchange of this.#exchanges.values()) exchange.fail(error); // L1
    this.#exchanges.clear();
  }

  #receive(data: ArrayBuffer): void {
    this.#isHeard = true;
    try {
      const bytes = new Uint8Array(data);
      const frame = decodeFrame(bytes.subarray(streamPrefixBytes));
      const stream = readStream(bytes);
      if (stream === handshakeStream) this.#takeHandshake(frame);
      else this.#deliver(stream, frame);
    } catch (error) {
      this.close(LongshoreError.from(error, "Cannot read what the broker sent").at("execution")); // L2
    }
  }

  #deliver(stream: number, frame: Frame): void {
    const exchange = this.#exchanges.get(stream);
    try {
      exchange?.frame(frame);
    } catch (error) {
      exchange?.fail(LongshoreError.from(error, "Cannot read what the broker sent").at("execution"));
    }
  }

  #takeHandshake(frame: Frame): void {
    if (frame.kind === "error") {
      const error = readError(frame.head);
      this.close(this.#phase === "greeting" ? error : error.at("execution"));
    } else if (frame.kind === "answer" && this.#phase === "greeting") {
      this.#phase = "open";
      this.#takes = socketWelcomeSchema.safeParse(frame.head).data?.takes ?? [];
      clearTimeout(this.#greeting);
      this.#pulse = setQuietInterval(() => this.#feelPulse(), patienceMs);
      this.#closeWhenIdle();
      this.#owner.welcomed(this);
    } else if (frame.kind === "end" && this.#phase === "open") {
      this.#phase = "draining";
      if (this.#exchanges.size === 0) this.close();
    }
  }

  #feelPulse(): void {
    if (this.#isHeard || this.#exchanges.size === 0) {
      this.#isHeard = false;
      this.#isAsked = false;
    } else if (this.#isAsked) {
      this.close(this.#broken("The broker does not answer any more"));
    } else {
      this.#isAsked = true;
      this.send(handshakeStream, { kind: "credit", bytes: 0 });
    }
  }

  /** An open socket keeps a program alive: one without work is closed after a while. One timer serves however many calls. */
  #closeWhenIdle(): void {
    this.#idleSinceMs = performance.now();
    this.#idle ??= this.#lookLater(this.#options.idleMs);
  }

  #lookLater(delayMs: number): ReturnType<typeof setTimeout> {
    return setQuietTimeout(() => {
      this.#idle = undefined;
      if (this.#exchanges.size > 0) return;
      const restMs = this.#idleSinceMs + this.#options.idleMs - performance.now();
      if (restMs > 0) this.#idle = this.#lookLater(restMs);
      else this.close();
    }, delayMs);
  }

  #unreachable(): LongshoreError {
    return new LongshoreError("connection_lost", `Cannot reach a broker at ${this.#options.url}`, { phase: "admission" });
  }

  #broken(what: string): LongshoreError {
    return new LongshoreError("connection_lost", `${what} (${this.#options.url}); ask for the invocation by its id`, { phase: "execution" });
  }
}
