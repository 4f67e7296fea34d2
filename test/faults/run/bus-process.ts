import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createConnection, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createEmbeddedServer } from "../../../packages/broker/src/embedded/server.ts";
import { natsServerExecutable } from "../../support/nats.ts";
import { silentLog } from "../../support/silent-log.ts";

/** A nats-server that is started, and started again, by the harness alone: nobody brings it back before its time. */
export class BusProcess implements AsyncDisposable {
  readonly port: number;
  readonly #configuration: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, port: number) {
    this.port = port;
    this.#configuration = join(folder, "nats", "nats-server.conf");
  }

  /** In that folder; brokers find their credentials in `nats/credentials` there. */
  static async start(folder: string): Promise<BusProcess> {
    const port = await freePort();
    const embedded = createEmbeddedServer({ dataFolder: folder, executable: natsServerExecutable, listen: { host: "127.0.0.1", port }, log: silentLog });
    await embedded.start(); // It writes keys and configuration.
    await embedded.close();
    const bus = new BusProcess(folder, port);
    await bus.start();
    return bus;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves once it accepts connections. */
  async start(): Promise<void> {
    this.#child = spawn(natsServerExecutable, ["-c", this.#configuration], { stdio: "ignore" });
    while (!(await isListening(this.port))) {
      if (this.#child.exitCode !== null) throw new Error(`Cannot start the bus: it ended with code ${this.#child.exitCode}`);
      await delay(20);
    }
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** A TCP port of loopback that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function isListening(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createConnection(port, "127.0.0.1");
  socket.once("connect", () => resolve(true)).once("error", () => resolve(false)).once("close", () => socket.destroy());
  void promise.then(() => socket.destroy());
  return promise;
}
