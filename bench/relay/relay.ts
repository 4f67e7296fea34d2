import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startPlainNats } from "../../test/support/plain-nats.ts";
import WebSocket from "ws";

/** The bare relay, running: socket or HTTP → NATS request → HTTP to the container, each hop in its own process. */
export interface Relay {
  readonly httpUrl: string;
  readonly natsUrl: string;
  readonly processIds: { readonly front: number; readonly back: number };
  /** One call over the socket. */
  call(body: Uint8Array): Promise<Uint8Array>;
  /** One long answer over the socket; resolves with its length once it has all come. No calls meanwhile. */
  stream(path: string): Promise<number>;
  close(): Promise<void>;
}

/** Starts the relay towards a container's address. */
export async function startRelay(target: string): Promise<Relay> {
  const nats = await startPlainNats();
  const environment = { RELAY_NATS: nats.url, RELAY_SUBJECT: "relay.run", RELAY_TARGET: target };
  const [back] = await startScript("back.ts", environment);
  const [front, line] = await startScript("front.ts", environment);
  const port = Number(line.split(" ")[1]);
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(socket, "open");
  const waiting = new Map<number, (body: Uint8Array) => void>();
  let count = 0;
  let takePart: ((part: Buffer) => void) | undefined;
  socket.on("message", (message: Buffer) => {
    if (takePart !== undefined) return takePart(message);
    const id = message.readUInt32LE(0);
    waiting.get(id)?.(message.subarray(4));
    waiting.delete(id);
  });
  return {
    httpUrl: `http://127.0.0.1:${port}/`,
    natsUrl: nats.url,
    processIds: { front: front.pid ?? 0, back: back.pid ?? 0 },
    call(body) {
      count += 1;
      const message = Buffer.allocUnsafe(4 + body.length);
      message.writeUInt32LE(count, 0);
      message.set(body, 4);
      return new Promise((resolve) => {
        waiting.set(count, resolve);
        socket.send(message);
      });
    },
    stream(path) {
      return new Promise((resolve) => {
        let received = 0;
        takePart = (part) => {
          received += part.length;
          if (part.length > 0) return;
          takePart = undefined;
          resolve(received);
        };
        socket.send(path);
      });
    },
    async close() {
      socket.terminate();
      await Promise.all([end(front), end(back)]);
      await nats.close();
    },
  };
}

async function startScript(name: string, environment: Record<string, string>): Promise<[ChildProcess, string]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, name)], { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...environment } });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return [child, line];
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  await ended;
}
