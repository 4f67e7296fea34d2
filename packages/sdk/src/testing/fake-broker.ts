import { decodeFrame, encodeFrame, type ErrorShape, type Frame, readStream, streamPrefixBytes, writeStream } from "@longshore/protocol";
import type { WebSocketConstructor, WebSocketLike } from "../web-socket.ts";

const nothing = new Uint8Array(0);
const encoder = new TextEncoder();

/** Things that come one after another, to be awaited one after another. */
class Arrivals<T> {
  readonly #waiting: T[] = [];
  readonly #takers: ((value: T) => void)[] = [];

  add(value: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(value);
    else taker(value);
  }

  next(): Promise<T> {
    const value = this.#waiting.shift();
    return value === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(value);
  }

  get count(): number {
    return this.#waiting.length;
  }
}

/** The broker's end of every socket that a client opens, played by a test. */
export class FakeBroker {
  readonly WebSocket: WebSocketConstructor;
  readonly sockets: FakeSocket[] = [];
  readonly #arrivals = new Arrivals<FakeSocket>();
  /** What is done with a socket that says hello; it is welcomed unless a test says otherwise. */
  greet: (socket: FakeSocket) => void = (socket) => socket.welcome();
  /** False: nobody listens. */
  isReachable = true;

  constructor() {
    const admit = (socket: FakeSocket) => this.#admit(socket);
    this.WebSocket = class extends FakeSocket {
      constructor(url: string, protocols: string) {
        super(url, protocols);
        admit(this);
      }
    };
  }

  /** The next socket that was opened. */
  nextSocket(): Promise<FakeSocket> {
    return this.#arrivals.next();
  }

  /** The next exchange on the newest socket, once there is one. */
  async nextExchange(): Promise<FakeExchange> {
    return (this.sockets.at(-1) ?? (await this.nextSocket())).nextExchange();
  }

  #admit(socket: FakeSocket): void {
    this.sockets.push(socket);
    this.#arrivals.add(socket);
    queueMicrotask(() => {
      if (!this.isReachable) return socket.break();
      socket.onHello = () => this.greet(socket);
      socket.fire("open", {});
    });
  }
}

/** One socket, seen from the broker. */
export class FakeSocket implements WebSocketLike {
  readonly url: string;
  readonly protocols: string;
  binaryType = "blob";
  /** Head of its first message. */
  hello: unknown;
  onHello: (() => void) | undefined;
  /** What came on stream 0 after the hello. */
  readonly onStreamZero: Frame[] = [];
  readonly exchanges = new Map<number, FakeExchange>();
  isClosed = false;
  readonly #opened = new Arrivals<FakeExchange>();
  readonly #listeners: [type: string, listener: (event: never) => void][] = [];

  constructor(url: string, protocols: string) {
    this.url = url;
    this.protocols = protocols;
  }

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.push([type, listener]);
  }

  fire(type: string, event: unknown): void {
    for (const [known, listener] of this.#listeners) if (known === type) listener(event as never);
  }

  send(data: Uint8Array): void {
    if (this.isClosed) return;
    const frame = decodeFrame(data.slice(streamPrefixBytes));
    const stream = readStream(data);
    if (stream === 0) this.#takeStreamZero(frame);
    else if (frame.kind === "open") {
      const exchange = new FakeExchange(this, stream, frame.head as Record<string, unknown>, frame.body);
      this.exchanges.set(stream, exchange);
      this.#opened.add(exchange);
    } else this.exchanges.get(stream)?.take(frame);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.fire("close", { code: 1000 }));
  }

  /** The next exchange that the client opens. */
  nextExchange(): Promise<FakeExchange> {
    return this.#opened.next();
  }

  /** Sends a frame. */
  push(stream: number, frame: Frame): void {
    this.pushRaw(writeStream(encodeFrame(frame, streamPrefixBytes), stream));
  }

  pushRaw(data: Uint8Array | string): void {
    if (!this.isClosed) this.fire("message", { data: typeof data === "string" ? data : data.slice().buffer });
  }

  /** As a broker that takes exchanges of these kinds; none are said by an older one. */
  welcome(takes?: readonly string[]): void {
    this.push(0, { kind: "answer", head: { brokerId: "b1", protocolVersion: 1, ...(takes && { takes }) }, body: nothing });
  }

  /** Says why, and closes. */
  refuse(error: ErrorShape): void {
    this.push(0, { kind: "error", head: error });
    this.break();
  }

  /** Takes no further exchange. */
  drain(): void {
    this.push(0, { kind: "end", head: { reason: "draining" } });
  }

  /** The connection is gone, with whatever was under way. */
  break(): void {
    this.isClosed = true;
    this.fire("error", {});
    this.fire("close", { code: 1006 });
  }

  #takeStreamZero(frame: Frame): void {
    if (this.hello !== undefined) return void this.onStreamZero.push(frame);
    this.hello = "head" in frame ? frame.head : undefined;
    queueMicrotask(() => this.onHello?.());
  }
}

/** One exchange, seen from the broker. */
export class FakeExchange {
  readonly stream: number;
  readonly head: Record<string, unknown>;
  readonly body: Uint8Array;
  readonly socket: FakeSocket;
  readonly #frames = new Arrivals<Frame>();
  #sequence = 0;

  constructor(socket: FakeSocket, stream: number, head: Record<string, unknown>, body: Uint8Array) {
    this.socket = socket;
    this.stream = stream;
    this.head = head;
    this.body = body;
  }

  take(frame: Frame): void {
    this.#frames.add(frame);
  }

  /** The next frame that the client sent in it. */
  next(): Promise<Frame> {
    return this.#frames.next();
  }

  /** Frames that came and were not taken. */
  get waiting(): number {
    return this.#frames.count;
  }

  push(frame: Frame): void {
    this.socket.push(this.stream, frame);
  }

  /** Answers at once. */
  complete(body: Uint8Array | string = nothing, head: Record<string, unknown> = {}): void {
    const bytes = typeof body === "string" ? encoder.encode(body) : body;
    this.push({ kind: "answer", head: { complete: true, headers: [], result: { outcome: "succeeded" }, ...head }, body: bytes });
  }

  /** Begins to answer. */
  begin(head: Record<string, unknown> = {}): void {
    this.push({ kind: "answer", head: { complete: false, headers: [], ...head }, body: nothing });
  }

  data(body: Uint8Array | string): void {
    this.#sequence += 1;
    this.push({ kind: "data", sequence: this.#sequence, body: typeof body === "string" ? encoder.encode(body) : body });
  }

  end(result: Record<string, unknown> = { outcome: "succeeded" }): void {
    this.push({ kind: "end", head: { sequenceCount: this.#sequence, result } });
  }

  fail(error: ErrorShape): void {
    this.push({ kind: "error", head: error });
  }
}
