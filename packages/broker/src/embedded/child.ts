import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch } from "node:fs";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import { z } from "zod";
import { goFirst } from "../priority.ts";

const readyWithinMs = 20_000;
const stopWithinMs = 10_000;
const lookMs = 250;

/** A nats-server that runs and listens. */
export interface ServerProcess {
  readonly pid: number;
  readonly port: number;
  /** Resolves with how it ended, wanted or not. */
  readonly exited: Promise<string>;
  /** Resolves when it says that it could not write: nats-server 2.15 stores nothing more of that stream then until it is started again, though there were room. */
  readonly unwritable: Promise<void>;
  /** Asks it to end, insists after ten seconds, resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

interface StartOptions {
  readonly executable: string;
  readonly configurationFile: string;
  /** A folder of this server's own, where it writes the ports it took. */
  readonly portsFolder: string;
  readonly log: Logger;
}

/** Starts a server; resolves when it accepts connections, throws `bus_down` with its last words when it does not come up. */
export async function startServerProcess(options: StartOptions): Promise<ServerProcess> {
  rmSync(options.portsFolder, { recursive: true, force: true });
  mkdirSync(options.portsFolder, { recursive: true, mode: 0o700 });
  const child = spawnGuarded(options.executable, ["--config", options.configurationFile, "--ports_file_dir", options.portsFolder]);
  const { lastWords, unwritable } = readLog(child, options.log);
  const exited = endOf(child);
  try {
    const port = await firstOf(portOf(options.portsFolder), exited, lastWords);
    const pid = child.pid;
    if (pid === undefined) throw startFailed("it has no process id");
    goFirst(pid);
    return { pid, port, exited, unwritable, stop: () => stop(child, exited) };
  } catch (error) {
    await stop(child, exited);
    throw error;
  }
}

/**
 * In a process group of its own, so that Ctrl-C on a terminal reaches only us, who drain first; and, on Linux, told by the kernel
 * to end when we are killed.
 */
function spawnGuarded(executable: string, args: readonly string[]): ChildProcess {
  const options: SpawnOptions = { detached: true, stdio: ["ignore", "ignore", "pipe"] };
  const guard = process.platform === "linux" ? find("setpriv") : undefined;
  return guard === undefined ? spawn(executable, args, options) : spawn(guard, ["--pdeathsig", "TERM", executable, ...args], options);
}

function find(command: string): string | undefined {
  return (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, command)).find((path) => existsSync(path));
}

/** Passes the server's log on, keeps the last lines for the error that may follow, and looks for what only the log tells. */
function readLog(child: ChildProcess, log: Logger): { readonly lastWords: readonly string[]; readonly unwritable: Promise<void> } {
  const lastWords: string[] = [];
  const { promise: unwritable, resolve } = Promise.withResolvers<void>();
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on("line", (line) => {
      log.debug({ line }, "nats-server");
      if (lastWords.push(line) > 5) lastWords.shift();
      if (/critical write error/i.test(line)) resolve();
    });
  }
  return { lastWords, unwritable };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("exit", (code, signal) => resolve(signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`));
  });
}

async function firstOf(port: { readonly found: Promise<number>; close(): void }, exited: Promise<string>, lastWords: readonly string[]): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      port.found,
      exited.then((how) => Promise.reject(startFailed([how, ...lastWords].join("\n")))),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(startFailed([`not ready within ${readyWithinMs / 1000} s`, ...lastWords].join("\n"))), readyWithinMs);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    port.close();
  }
}

const startFailed = (what: string) => new LongshoreError("bus_down", `Cannot start nats-server: ${what}`);

const portsSchema = z.object({ nats: z.array(z.string()).min(1) });

/** The port that a server writes down once it listens. It is looked for besides being watched for: what watches files may miss one. */
function portOf(folder: string): { readonly found: Promise<number>; close(): void } {
  const watcher = watch(folder);
  let timer: NodeJS.Timeout | undefined;
  const found = new Promise<number>((resolve) => {
    const look = () => {
      const port = readdirSync(folder).filter((file) => file.endsWith(".ports")).map((file) => readPort(join(folder, file))).find((each) => each !== undefined);
      if (port !== undefined) resolve(port);
    };
    watcher.on("change", look);
    timer = setInterval(look, lookMs);
  });
  return {
    found,
    close: () => {
      watcher.close();
      clearInterval(timer);
    },
  };
}

/** Undefined while the file is still being written. */
function readPort(file: string): number | undefined {
  try {
    const [address] = portsSchema.parse(JSON.parse(readFileSync(file, "utf8"))).nats;
    return Number(new URL(address ?? "").port);
  } catch {
    return undefined;
  }
}

async function stop(child: ChildProcess, exited: Promise<string>): Promise<void> {
  if (child.pid === undefined) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopWithinMs);
  await exited;
  clearTimeout(timer);
  if (child.stderr !== null && !child.stderr.closed) await once(child.stderr, "close");
}
