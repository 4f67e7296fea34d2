import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import Docker from "dockerode";
import { docker } from "../../support/agent-engine.ts";
import { createOutsideHost, type OutsideHost } from "../../support/outside-host.ts";

const ip = (...words: readonly string[]) => execFileSync("ip", words);
const lookEveryMs = 100;

/**
 * A dockerd of the harness's own, to be killed, restarted and stopped: with its own data, and in a network namespace of its own, so that its
 * bridges and firewall rules and those of the machine's engine never meet. Needs root.
 */
export class OwnEngine implements AsyncDisposable {
  readonly docker: Docker;
  /** As DOCKER_HOST has it. */
  readonly address: string;
  readonly #folder: string;
  readonly #host: OutsideHost;
  #daemon: ChildProcess | undefined;

  private constructor(folder: string, host: OutsideHost) {
    const socketPath = join(folder, "docker.sock");
    this.#folder = folder;
    this.#host = host;
    this.address = `unix://${socketPath}`;
    this.docker = new Docker({ socketPath });
  }

  /** In that folder, which is not there yet; resolves when it answers. */
  static async start(folder: string): Promise<OwnEngine> {
    mkdirSync(folder);
    const engine = new OwnEngine(folder, createOutsideHost([`198.51.100.${1 + (randomBytes(1).readUInt8() % 250)}`]));
    try {
      await engine.start();
    } catch (error) {
      await engine[Symbol.asyncDispose]();
      throw error;
    }
    return engine;
  }

  /** The words in front of a command that is to reach its containers; it keeps the machine's mounts. */
  get prefix(): readonly string[] {
    return ["nsenter", `--net=/var/run/netns/${this.#host.namespace}`, "--"];
  }

  /** This machine's address as whoever is beside the engine sees it. */
  get gateway(): string {
    return this.#host.gateway;
  }

  /** Gives it an image that the machine's engine has. */
  async take(reference: string): Promise<void> {
    const loading = await this.docker.loadImage(await docker.getImage(reference).get());
    loading.resume();
    await once(loading, "end");
  }

  /** Its containers reach an address of another host directly; resolves with the address that they come from. */
  joinTo(other: OutsideHost, address: string): string {
    const [near, far] = [`lse${randomBytes(3).toString("hex")}`, `lst${randomBytes(3).toString("hex")}`];
    const net = `198.19.${randomBytes(1).readUInt8()}`;
    ip("-n", this.#host.namespace, "link", "add", near, "type", "veth", "peer", "name", far, "netns", other.namespace);
    for (const [namespace, name, own] of [[this.#host.namespace, near, `${net}.1`], [other.namespace, far, `${net}.2`]] as const) {
      ip("-n", namespace, "address", "add", `${own}/24`, "dev", name);
      ip("-n", namespace, "link", "set", name, "up");
    }
    ip("-n", this.#host.namespace, "route", "add", `${address}/32`, "via", `${net}.2`);
    return `${net}.1`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const places = { "--data-root": "data", "--exec-root": "exec", "--pidfile": "docker.pid" };
    // Of processes that were killed: their numbers may be others' by now.
    for (const file of ["docker.pid", "exec/containerd/containerd.pid"]) rmSync(join(this.#folder, file), { force: true });
    const [, ...words] = [...this.prefix, "dockerd", ...Object.entries(places).flatMap(([name, place]) => [name, join(this.#folder, place)]), "--host", this.address];
    const log = openSync(this.logFile, "a");
    const daemon = (this.#daemon = spawn("nsenter", words, { stdio: ["ignore", log, log] }));
    while (!(await this.docker.ping().then(() => true, () => false))) {
      if (hasEnded(daemon)) throw new Error(`Cannot start an engine: ${readFileSync(this.logFile, "utf8").slice(-2_000)}`);
      await delay(lookEveryMs);
    }
  }

  get logFile(): string {
    return join(this.#folder, "dockerd.log");
  }

  /** `kill -9`; its containerd dies with it, its containers do not. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** As an upgrade does it: it ends its containers. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  freeze(): void {
    this.#daemon?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#daemon?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.thaw();
    await this.stop();
    for (const id of processesOf(this.#folder)) process.kill(id, "SIGKILL");
    for (const place of mountsBelow(this.#folder)) execFileSync("umount", ["--lazy", place]);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
    await this.#host.close();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const daemon = this.#daemon;
    if (daemon === undefined || hasEnded(daemon)) return;
    daemon.kill(signal);
    await once(daemon, "exit");
  }
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

/** What a killed engine leaves: processes whose command names something in its folder. */
function processesOf(folder: string): number[] {
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => id !== process.pid);
  return others.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").includes(`${folder}/`);
    } catch {
      return false; // It ended while we looked.
    }
  });
}

/** What is mounted below a folder, the innermost first. */
function mountsBelow(folder: string): string[] {
  const places = readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`)).reverse();
}
