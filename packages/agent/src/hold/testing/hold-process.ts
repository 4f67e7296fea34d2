import { type ChildProcess, spawn, type StdioOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { findHold } from "../executable.ts";
import { encodeHoldFrame, type HoldStatus, nonceBytes, TrailerScanner } from "../frame.ts";

/** This machine's `hold`; undefined where it cannot be run. */
export const holdHere = process.platform === "linux" ? findHold(process.arch === "x64" ? "amd64" : process.arch) : undefined;

export interface HoldOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A command that ends by running its arguments: `unshare --pid --fork`. */
  readonly behind?: readonly string[];
  readonly executable?: string;
  /** A file descriptor to hand on beside the three usual ones. */
  readonly descriptor?: number;
  readonly uid?: number;
  /** Leaves stdout alone until {@link HoldProcess.readOutput}. */
  readonly readsLater?: boolean;
}

/** What a `hold` process left behind. */
export interface HoldResult {
  /** Without the trailer. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** By the trailer of stdout. */
  readonly status: HoldStatus | undefined;
  /** By the trailer of stderr. */
  readonly stderrStatus: HoldStatus | undefined;
  /** Of the process itself. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `hold` as a process of its own, without a container around it. */
export class HoldProcess {
  readonly nonce = randomBytes(nonceBytes);
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly #child: ChildProcess;
  readonly #isBehind: boolean;
  readonly #output: Collector;
  readonly #errors: Collector;
  readonly #closed: Promise<unknown>;

  constructor(args: readonly string[], options: HoldOptions = {}) {
    const [command = "", ...rest] = [...(options.behind ?? []), options.executable ?? holdHere ?? "", ...args];
    const stdio: StdioOptions = ["pipe", "pipe", "pipe", ...(options.descriptor === undefined ? [] : [options.descriptor])];
    const { env = {}, cwd, uid } = options;
    // In a group of its own: a signal that strays to a group must not reach the tests.
    this.#child = spawn(command, rest, { stdio, env, detached: true, ...(uid !== undefined && { uid, gid: uid }), ...(cwd !== undefined && { cwd }) });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error("spawn() made no pipes");
    // A program that reads no more is no error of the test's.
    this.stdin = stdin.on("error", () => undefined);
    this.stdout = stdout;
    this.#isBehind = options.behind !== undefined;
    this.#output = new Collector(stdout, this.nonce);
    this.#errors = new Collector(stderr, this.nonce);
    // Paused and not unheard: Node lets whatever nobody listens to run out once the process has ended.
    if (options.readsLater === true) stdout.pause();
    this.#closed = once(this.#child, "close");
  }

  /** Sends the start frame, and after it what the program is to read; then the end of input, unless it is to stay open. */
  begin(env: readonly string[] = [], input: Uint8Array | "open" = new Uint8Array(0)): this {
    this.stdin.write(encodeHoldFrame({ nonce: this.nonce, env }));
    if (input !== "open") this.stdin.end(input);
    return this;
  }

  /** Begins to read stdout. */
  readOutput(): void {
    this.stdout.resume();
  }

  /** Resolves once the program has written this to stdout. */
  async wrote(text: string): Promise<void> {
    await this.#output.contains(text);
  }

  /** The id of hold itself; behind another command, that of the one child this has. */
  get pid(): number {
    const pid = this.#child.pid ?? 0;
    return this.#isBehind ? Number(childrenOf(pid)[0]) : pid;
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Resolves once hold waits for its frame: it handles signals from then on. */
  async waits(): Promise<void> {
    await until(() => {
      const caught = this.pid > 0 ? statusField(this.pid, "SigCgt") : undefined;
      return caught !== undefined && (BigInt(`0x${caught}`) & (1n << 14n)) !== 0n;
    });
  }

  /** Resolves once hold's program has begun, ended and been reaped, and with it everything else that hold was parent of. */
  async reaped(): Promise<void> {
    await until(() => childrenOf(this.pid).length > 0);
    await until(() => childrenOf(this.pid).length === 0);
  }

  async result(): Promise<HoldResult> {
    await this.#closed;
    const { exitCode, signalCode } = this.#child;
    return {
      stdout: this.#output.bytes(), stderr: this.#errors.bytes(),
      status: this.#output.status, stderrStatus: this.#errors.status,
      exitCode, signal: signalCode,
    };
  }
}

/** Everything that came from a stream, the trailer apart. */
class Collector {
  readonly #scanner: TrailerScanner;
  readonly #pieces: Uint8Array[] = [];
  readonly #stream: Readable;

  constructor(stream: Readable, nonce: Uint8Array) {
    this.#scanner = new TrailerScanner(nonce);
    this.#stream = stream;
    this.#stream.on("data", (chunk: Buffer) => this.#pieces.push(this.#scanner.push(chunk)));
    this.#stream.on("end", () => this.#pieces.push(this.#scanner.end()));
  }

  get status(): HoldStatus | undefined {
    return this.#scanner.status;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  async contains(text: string): Promise<void> {
    while (!this.bytes().includes(text)) await once(this.#stream, "data");
  }
}

/** One line of `/proc/PID/status`; undefined once the process is gone. */
function statusField(pid: number, name: string): string | undefined {
  try {
    return new RegExp(`^${name}:\\s*(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): string[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter((child) => child !== "") : [];
}

/** The kernel tells nobody of such a change: it has to be asked for. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(2);
}
