import { decodeFrame, encodeFrame, errorShape, type Frame, LongshoreError, readStream, socketProtocol, streamPrefixBytes, writeStream } from "@longshore/protocol";
import type { ResolvedOptions } from "./options.ts";
import { setQuietInterval } from "./timer.ts";
import type { WebSocketLike } from "./web-socket.ts";

const handshakeStream = 0;
const nothing = new Uint8Array(0);
/** Without a word from the broker for that long while something is under way, it is asked; without one for as long again, it is gone. */
const patienceMs = 15_000;

/** One exchange on a socket. */
export interface SocketExchange {
  frame(frame: Frame): void;
  /** The socket is gone: nothing more comes. */
  lost(error: LongshoreError): void;
}

/** One WebSocket that has been welcomed by a broker, and the exchanges on it. */
export class SocketLink {
  readonly #socket: WebSocketLike;
  readonly #exchanges = new Map<number, SocketExchange>();
  readonly #onIdle: () => void;
  #lastStream = 0;
  #isClosed = false;
  #isHeard = true;
  #isAsked = false;
  #isDraining = false;
  #pulse: ReturnType<typeof setInterval> | undefined;

  /** Opens one; rejects with what the broker said, or `connection_lost`. `onIdle` is called when the last exchange is over. */
  static open(options: ResolvedOptions, WebSocketOf: NonNullable<ResolvedOptions["WebSocket"]>, onIdle: () => void): Promise<SocketLink> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocketOf(options.socketUrl, socketProtocol);
      const link = new SocketLink(socket, onIdle);
      link.#greet(options, () => resolve(link), reject);
    });
  }

  private constructor(socket: WebSocketLike, onIdle: () => void) {
    this.#socket = socket;
    this.#onIdle = onIdle;
    socket.binaryType = "arraybuffer";
  }

  /** True while further exchanges may begin. */
  get isUsable(): boolean {
    return !this.#isClosed && !this.#isDraining;
  }

  get isIdle(): boolean {
    return this.#exchanges.size === 0;
  }

  /** Begins an exchange; returns its stream number. */
  open(exchange: SocketExchange, head: unknown, body: Uint8Array): number {
    this.#lastStream += 1;
    this.#exchanges.set(this.#lastStream, exchange);
    this.send(this.#lastStream, { kind: "open", head, body });
    return this.#lastStream;
  }

  send(stream: number, frame: Frame): void {
    if (!this.#isClosed) this.#socket.send(writeStream(encodeFrame(frame, streamPrefixBytes), stream));
  }

  /** The exchange is over. */
  finish(stream: number): void {
    if (!this.#exchanges.delete(stream) || this.#exchanges.size > 0) return;
    if (this.#isDraining) this.close();
    else this.#onIdle();
  }

  /** Ends it; what is under way is told. Idempotent. */
  close(error = new LongshoreError("connection_lost", "The connection was closed")): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#pulse);
    this.#socket.close(1000);
    for (const exchange of this.#exchanges.values()) exchange.lost(error);
    this.#exchanges.clear();
  }

  #greet({ url, key }: ResolvedOptions, welcomed: () => void, refused: (error: LongshoreError) => void): void {
    let refusal = new LongshoreError("connection_lost", `Cannot reach a broker at ${url}`, { phase: "admission" });
    this.#socket.addEventListener("open", () => this.send(handshakeStream, { kind: "open", head: key === undefined ? {} : { key }, body: nothing }));
    this.#socket.addEventListener("close", () => {
      refused(refusal);
      this.close(new LongshoreError("connection_lost", `The connection to ${url} broke; ask for the invocation by its id`, { phase: "execution" }));
    });
    this.#socket.addEventListener("error", () => undefined); // A close follows.
    this.#socket.addEventListener("message", ({ data }: { data: ArrayBuffer }) => {
      this.#isHeard = true;
      const bytes = new Uint8Array(data);
      const stream = readStream(bytes);
      const frame = decodeFrame(bytes.subarray(streamPrefixBytes));
      if (stream !== handshakeStream) return this.#exchanges.get(stream)?.frame(frame);
      if (frame.kind === "answer") {
        this.#watchPulse();
        welcomed();
      } else if (frame.kind === "error") {
        refusal = LongshoreError.fromShape(errorShape.parse(frame.head));
      } else if (frame.kind === "end") {
        this.#isDraining = true;
        if (this.isIdle) this.close();
      }
    });
  }

  #watchPulse(): void {
    this.#pulse = setQuietInterval(() => {
      if (this.#isHeard || this.isIdle) {
        this.#isHeard = false;
        this.#isAsked = false;
      } else if (this.#isAsked) {
        this.close(new LongshoreError("connection_lost", "The broker does not answer any more; ask for the invocation by its id", { phase: "execution" }));
      } else {
        this.#isAsked = true;
        this.send(handshakeStream, { kind: "credit", bytes: 0 });
      }
    }, patienceMs);
  }
}
