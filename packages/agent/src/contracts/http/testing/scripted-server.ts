import { once } from "node:events";
import { createServer, type Socket } from "node:net";

/** A TCP server on 127.0.0.1 that does only what a test tells it to. */
export interface ScriptedServer {
  readonly port: number;
  /** How many connections it has taken. */
  readonly taken: number;
  /** The next connection that was not asked for before. */
  next(): Promise<ServerSide>;
  /** Closes it and all its connections. */
  close(): Promise<void>;
}

/** One connection, as the server sees it. */
export class ServerSide {
  readonly socket: Socket;
  #parts: Buffer[] = [];
  #length = 0;
  readonly #closed: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket.on("error", () => undefined);
    this.#closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (bytes: Buffer) => {
      this.#parts.push(bytes);
      this.#length += bytes.length;
    });
  }

  /** All that came, Latin-1. */
  get received(): string {
    return Buffer.concat(this.#parts).toString("latin1");
  }

  /** Resolves with all that came once it holds the text; rejects when the connection ends before. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text)) await this.#oneOf("data");
    return this.received;
  }

  /** Resolves with the next request's head and forgets it, so that the one after it can be awaited. */
  async head(): Promise<string> {
    const all = await this.until("\r\n\r\n");
    return (await this.take(all.indexOf("\r\n\r\n") + 4)).toString("latin1");
  }

  /** Resolves once that many bytes have come, and forgets them. */
  async take(length: number): Promise<Buffer> {
    while (this.#length < length) await this.#oneOf("data");
    const all = Buffer.concat(this.#parts);
    this.#parts = [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }

  /** Sends text, each character one byte. */
  send(text: string): void {
    this.socket.write(Buffer.from(text, "latin1"));
  }

  /** Resolves once the other side ended its direction. */
  async ended(): Promise<void> {
    if (!this.socket.readableEnded) await this.#oneOf("end");
  }

  /** Resolves once the connection is gone. */
  async closed(): Promise<void> {
    await this.#closed;
  }

  async #oneOf(event: "data" | "end"): Promise<void> {
    const isClosed = await Promise.race([once(this.socket, event).then(() => false), this.#closed.then(() => true)]);
    if (isClosed) throw new Error(`The connection closed while ${event} was awaited; received: ${JSON.stringify(this.received.slice(-200))}`);
  }
}

/** Starts one; `host` is where it listens. */
export async function startScriptedServer({ host = "127.0.0.1", port = 0, allowHalfOpen = false } = {}): Promise<ScriptedServer> {
  const sides: ServerSide[] = [];
  const sockets = new Set<Socket>();
  let asked = 0;
  const server = createServer({ allowHalfOpen }, (socket) => {
    sockets.add(socket);
    sides.push(new ServerSide(socket));
    server.emit("taken");
  });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port");

  return {
    port: address.port,
    get taken() {
      return sides.length;
    },
    async next() {
      const place = asked;
      asked += 1;
      for (;;) {
        const side = sides[place];
        if (side !== undefined) return side;
        await once(server, "taken");
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      if (server.listening) await once(server, "close");
    },
  };
}
