import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createConnection, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createEmbeddedServer } from "../../../packages/broker/src/embedded/server.ts";
import { goFirst } from "../../../packages/broker/src/priority.ts";
import { LoopStore } from "../../support/loop-store.ts";
import { natsServerExecutable } from "../../support/nats.ts";
import { silentLog } from "../../support/silent-log.ts";

const diskBytes = 2 ** 31;

/** A nats-server that is started, and started again, by the harness alone: nobody brings it back before its time. */
export class BusProcess implements AsyncDisposable {
  readonly port: number;
  readonly #folder: string;
  /** What it keeps has a disk of its own. */
  readonly #disk: LoopStore | undefined;
  #child: ChildProcess | undefined;
  /** Killed so many times more than started since. */
  #away = 0;

  private constructor(folder: string, port: number, disk: LoopStore | undefined) {
    this.port = port;
    this.#folder = folder;
    this.#disk = disk;
  }

  /** In that folder; brokers find their credentials in `nats/credentials` there. `ownDisk`: its disk can lose its power, and be full. */
  static async start(folder: string, { ownDisk }: { readonly ownDisk: boolean }): Promise<BusProcess> {
    const port = await freePort();
    mkdirSync(join(folder, "nats"), { recursive: true, mode: 0o700 });
    const disk = ownDisk ? LoopStore.create(join(folder, "nats"), folder, diskBytes) : undefined;
    const bus = new BusProcess(folder, port, disk);
    try {
      await bus.#configure();
      await bus.start();
    } catch (error) {
      await bus[Symbol.asyncDispose]();
      throw error;
    }
    return bus;
  }

  /** As an embedded server does: keys and configuration. */
  async #configure(): Promise<void> {
    const embedded = createEmbeddedServer({ dataFolder: this.#folder, executable: natsServerExecutable, listen: { host: "127.0.0.1", port: this.port }, log: silentLog });
    await embedded.start();
    await embedded.close();
    this.#disk?.sync();
  }

  /** The folder of what it keeps. */
  get store(): string {
    return join(this.#folder, "nats", "jetstream");
  }

  /** What all its processes wrote. */
  get logFile(): string {
    return join(this.#folder, "nats-server.log");
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /**
   * Resolves once it accepts connections, or was killed again. Faults may overlap: it comes back when everyone who killed it has started it, so
   * that there is never a second process on the same files.
   */
  async start(): Promise<void> {
    this.#away = Math.max(0, this.#away - 1);
    if (this.#away > 0) return;
    const child = (this.#child = spawn(natsServerExecutable, ["-c", join(this.#folder, "nats", "nats-server.conf"), "-l", this.logFile], { stdio: "ignore" }));
    while (!hasEnded(child) && !(await isListening(this.port))) await delay(20);
    goFirst(child.pid ?? 0); // As the embedded one.
    if (child.exitCode !== null) throw new Error(`Cannot start the bus: it ended with code ${child.exitCode}`);
  }

  /** `kill -9`; it stays away until it is started. */
  async kill(): Promise<void> {
    this.#away += 1;
    const child = this.#child;
    if (child === undefined || hasEnded(child)) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  /** Its machine's power goes: what it had not synced is gone with it. */
  async cutPower(): Promise<void> {
    await this.kill();
    this.disk.cutPower();
  }

  get hasDisk(): boolean {
    return this.#disk !== undefined;
  }

  /** Its own disk; throws where it has none. */
  get disk(): LoopStore {
    if (this.#disk === undefined) throw new Error("The bus has no disk of its own");
    return this.#disk;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#disk?.[Symbol.dispose]();
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
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
