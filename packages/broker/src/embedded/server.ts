import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "pino";
import type { BusAccess } from "../bus/access.ts";
import { writeCredentialFiles } from "../bus/credential-files.ts";
import { everything, fleetBrokerPermissions, userJwt } from "../identity/claims.ts";
import { writeSecret } from "../identity/secret-file.ts";
import { loadOrSignAccounts } from "./accounts.ts";
import { type ServerProcess, startServerProcess } from "./child.ts";
import { type ListenAddress, serverConfiguration, type ServerTls } from "./configuration.ts";
import { checkServerVersion } from "./executable.ts";
import { type BusKeys, loadOrCreateKeys } from "./keys.ts";
import { untilRoom } from "./disk-room.ts";
import { endLeftBehind, removePidFile, runningServer, writePidFile } from "./pid-file.ts";

export interface EmbeddedServerOptions {
  /** The broker's data folder; the server keeps its own under `nats/`. */
  readonly dataFolder: string;
  /** Path or name of a nats-server. */
  readonly executable: string;
  readonly listen: ListenAddress;
  /** Needed on any address that others reach. */
  readonly tls?: ServerTls | undefined;
  readonly log: Logger;
}

/** A bus of one's own, as it runs. */
export interface EmbeddedBus {
  readonly access: BusAccess;
  readonly port: number;
  readonly version: string;
}

export interface EmbeddedServer {
  /** Makes what is missing, starts the server, resolves when it accepts connections. It is started again whenever it dies. */
  start(): Promise<EmbeddedBus>;
  /** Ends the server; resolves when it is gone. Idempotent. */
  close(): Promise<void>;
}

/** A nats-server as child process: the bus of a fleet that has no cluster of its own. */
export function createEmbeddedServer(options: EmbeddedServerOptions): EmbeddedServer {
  return new NatsServer(options);
}

const pidFileOf = (dataFolder: string) => join(dataFolder, "nats", "nats-server.json");

/** The process of the server that runs on a data folder; undefined: none, as far as this system tells. */
export function serverOnFolder(dataFolder: string): number | undefined {
  return runningServer(pidFileOf(dataFolder));
}

const restartDelayMs = (failures: number) => Math.min(5_000, 100 * 2 ** Math.min(failures, 10));

class NatsServer implements EmbeddedServer {
  readonly #options: EmbeddedServerOptions;
  readonly #folder: string;
  readonly #pidFile: string;
  readonly #closing = new AbortController();
  #process: ServerProcess | undefined;
  #watching: Promise<void> | undefined;

  constructor(options: EmbeddedServerOptions) {
    this.#options = options;
    this.#folder = join(options.dataFolder, "nats");
    this.#pidFile = pidFileOf(options.dataFolder);
  }

  async start(): Promise<EmbeddedBus> {
    const version = await checkServerVersion(this.#options.executable);
    mkdirSync(this.#options.dataFolder, { recursive: true, mode: 0o700 });
    chmodSync(this.#options.dataFolder, 0o700);
    const keys = loadOrCreateKeys(this.#folder);
    await endLeftBehind(this.#pidFile);
    const running = await this.#launch(keys, this.#options.listen.port);
    this.#watching = this.#keepRunning(keys, running);
    const access = accessOf(keys, localAddress(this.#options.listen.host, running.port), this.#options.tls);
    writeCredentialFiles(join(this.#folder, "credentials"), access);
    this.#options.log.info({ pid: running.pid, port: running.port, version }, "embedded bus started");
    return { access, port: running.port, version };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#process?.stop();
    await this.#watching;
    removePidFile(this.#pidFile);
  }

  async #launch(keys: BusKeys, port: number): Promise<ServerProcess> {
    const configurationFile = join(this.#folder, "nats-server.conf");
    const listen = { host: this.#options.listen.host, port };
    writeSecret(configurationFile, serverConfiguration(this.#folder, listen, this.#options.tls, keys, loadOrSignAccounts(this.#folder, keys)));
    const { executable, log } = this.#options;
    const running = await startServerProcess({ executable, configurationFile, portsFolder: join(this.#folder, "ports"), log });
    writePidFile(this.#pidFile, running.pid);
    this.#process = running;
    void running.unwritable.then(() => this.#endOnceThereIsRoom(running));
    return running;
  }

  /** It is started again then, and writes again. */
  async #endOnceThereIsRoom(running: ServerProcess): Promise<void> {
    this.#options.log.error("embedded bus cannot write: it is started again once there is room on its disk");
    await untilRoom(this.#folder, AbortSignal.any([this.#closing.signal, abortedBy(running.exited)]));
    await running.stop();
  }

  /** On the port it first had: those who are connected come back to it. */
  async #keepRunning(keys: BusKeys, first: ServerProcess): Promise<void> {
    const { signal } = this.#closing;
    const isClosing = () => signal.aborted;
    let running = first;
    let failures = 0;
    while (!isClosing()) {
      const how = await running.exited;
      if (isClosing()) return;
      this.#options.log.error({ how, failures }, "embedded bus ended, starting it again");
      await delay(restartDelayMs(failures), undefined, { signal }).catch(() => undefined);
      if (isClosing()) return;
      try {
        running = await this.#launch(keys, first.port);
        failures = 0;
        if (isClosing()) await running.stop();
      } catch (err) {
        failures += 1;
        this.#options.log.error({ err, failures }, "embedded bus does not start");
      }
    }
  }
}

function abortedBy(ending: Promise<unknown>): AbortSignal {
  const controller = new AbortController();
  void ending.then(() => controller.abort());
  return controller.signal;
}

/** How the broker beside it reaches the server. */
function localAddress(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `127.0.0.1:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function accessOf(keys: BusKeys, address: string, tls: ServerTls | undefined): BusAccess {
  return {
    servers: [`${tls === undefined ? "nats" : "tls"}://${address}`],
    ca: tls?.ca,
    core: { jwt: userJwt(keys.coreAccount, { name: "broker", publicKey: keys.coreUser.publicKey }, everything), seed: keys.coreUser.seed },
    fleet: { jwt: userJwt(keys.fleetAccount, { name: "broker", publicKey: keys.fleetUser.publicKey }, fleetBrokerPermissions), seed: keys.fleetUser.seed },
    fleetAccountKey: keys.fleetAccount.publicKey,
    agentSignerSeed: keys.agentSigner.seed,
    revocation: {
      system: { jwt: userJwt(keys.systemAccount, { name: "broker", publicKey: keys.systemUser.publicKey }, everything), seed: keys.systemUser.seed },
      operatorSeed: keys.operator.seed,
    },
  };
}
