import { decodeFrame, encodeFrame, type FleetEvent, type Frame, LongshoreError, readStream, socketPath, socketProtocol, streamPrefixBytes, type TenantId, writeStream } from "@longshore/protocol";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pino } from "pino";
import { createFakeInvoker, type FakeInvoker, type Script } from "../../invocation/testing/fake-invoker.ts";
import type { Caller } from "../caller.ts";
import type { FleetEvents } from "../fleet-events.ts";
import { createSocketServer, type SocketServer, type SocketServerOptions } from "../server.ts";

/** A hub whose state and events a test decides. */
export class FakeFleetEvents implements FleetEvents {
  state: FleetEvent[] = [];
  readonly handlers = new Set<(event: FleetEvent) => void>();

  snapshot(): readonly FleetEvent[] {
    return this.state;
  }

  subscribe(_tenantId: TenantId, handler: (event: FleetEvent) => void): () => void {
    this.handlers.add(handler);
    return () => this.handlers.delete(handler);
  }

  publish(event: FleetEvent): void {
    for (const handler of [...this.handlers]) handler(event);
  }
}

/** A loopback fleet that asks for no key from its own machine, and otherwise knows one. */
export function authenticate(bearer: string | undefined, { loopback }: { loopback: boolean }): Caller {
  if (bearer === "lsk_good" || (bearer === undefined && loopback)) return { tenantId: "default" as TenantId };
  if (bearer === undefined) throw new LongshoreError("key_missing", "Cannot authenticate: a key is needed");
  throw new LongshoreError("token_invalid", "Cannot authenticate: the key is not known");
}

/** A socket server on a free port, with scripts as functions. */
export interface SocketFixture {
  readonly url: string;
  readonly http: Server;
  readonly sockets: SocketServer;
  readonly invoker: FakeInvoker;
  readonly events: FakeFleetEvents;
  /** Opens a socket and says hello. */
  connect(key?: string): Promise<RawClient>;
  close(): Promise<void>;
}

/** Starts one; whoever starts it closes it. */
export async function startSocketFixture(scripts: Readonly<Record<string, Script>>, options: Partial<SocketServerOptions> = {}): Promise<SocketFixture> {
  const invoker = createFakeInvoker(scripts);
  const events = new FakeFleetEvents();
  const sockets = createSocketServer({ invoker, acceptor: { accept: () => Promise.reject(new Error("this test accepts nothing")) }, authenticate, events, logs: { open: () => Promise.resolve([]) }, brokerId: "b1" as never, log: pino({ level: "silent" }), ...options });
  const http = createServer().on("upgrade", (request, socket, head) => sockets.handleUpgrade(request, socket, head));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}${socketPath}`;
  const clients: RawClient[] = [];
  return {
    url,
    http,
    sockets,
    invoker,
    events,
    async connect(key) {
      const client = new RawClient(url);
      clients.push(client);
      await client.opened;
      client.send(0, { kind: "open", head: key === undefined ? {} : { key }, body: new Uint8Array(0) });
      await client.next(0);
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await sockets.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

/** A client that speaks frames and nothing above them. */
export class RawClient {
  readonly #socket: WebSocket;
  readonly #frames = new Map<number, Frame[]>();
  #changed: (() => void)[] = [];
  /** Resolves when the socket is open. */
  readonly opened: Promise<void>;
  /** Resolves with code and reason when it is closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  #isClosed = false;

  constructor(url: string, protocols: string | string[] = socketProtocol) {
    this.#socket = new WebSocket(url, protocols);
    this.#socket.binaryType = "arraybuffer";
    this.opened = new Promise((resolve) => this.#socket.addEventListener("open", () => resolve()));
    this.closed = new Promise((resolve) =>
      this.#socket.addEventListener("close", ({ code, reason }) => {
        this.#isClosed = true;
        this.#tell();
        resolve({ code, reason });
      }),
    );
    this.#socket.addEventListener("message", ({ data }: MessageEvent<ArrayBuffer>) => {
      const bytes = new Uint8Array(data);
      this.#framesOf(readStream(bytes)).push(decodeFrame(bytes.subarray(streamPrefixBytes)));
      this.#tell();
    });
  }

  send(stream: number, frame: Frame): void {
    this.sendRaw(writeStream(encodeFrame(frame, streamPrefixBytes), stream));
  }

  sendRaw(data: Uint8Array<ArrayBuffer> | Uint8Array | string): void {
    this.#socket.send(data as never);
  }

  /** Opens an invocation. */
  invoke(stream: number, functionName: string, head: Record<string, unknown> = {}, body: Uint8Array | string = ""): void {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const request = { method: "POST", target: "/", headers: [] };
    this.send(stream, { kind: "open", head: { what: "invoke", functionName, request, more: false, ...head }, body: bytes });
  }

  /** The next frame of a stream; throws when the socket closes before it. */
  async next(stream: number): Promise<Frame> {
    const frames = this.#framesOf(stream);
    while (frames.length === 0) {
      if (this.#isClosed) throw new Error(`closed before a frame came on stream ${stream}`);
      await new Promise<void>((resolve) => this.#changed.push(resolve));
    }
    return frames.shift() as Frame;
  }

  /** Frames of a stream until the first that passes, that one included. */
  async until(stream: number, isLast: (frame: Frame) => boolean): Promise<Frame[]> {
    const frames: Frame[] = [];
    for (let frame = await this.next(stream); ; frame = await this.next(stream)) {
      frames.push(frame);
      if (isLast(frame)) return frames;
    }
  }

  /** Frames that have come on a stream and were not taken. */
  waiting(stream: number): number {
    return this.#framesOf(stream).length;
  }

  close(): void {
    this.#socket.close();
  }

  #framesOf(stream: number): Frame[] {
    const frames = this.#frames.get(stream) ?? [];
    this.#frames.set(stream, frames);
    return frames;
  }

  #tell(): void {
    const told = this.#changed;
    this.#changed = [];
    for (const resolve of told) resolve();
  }
}
