import { Readable, Writable } from "node:stream";
import { createTerminal, type Terminal } from "../terminal/terminal.ts";

/** A terminal in memory, and what was written to it. */
export interface FakeTerminal {
  readonly terminal: Terminal;
  readonly stdout: () => string;
  readonly stdoutBytes: () => Uint8Array;
  readonly stderr: () => string;
}

export interface FakeTerminalOptions {
  /** What stdin holds; absent: a terminal at which nobody types. */
  readonly input?: Uint8Array | string;
  /** Whether stdout and stderr are terminals. */
  readonly isTerminal?: boolean;
  readonly environment?: NodeJS.ProcessEnv;
  /** Of the terminal behind stdout; default 80. */
  readonly columns?: number;
  /** stdout of the test's own. */
  readonly out?: Writable;
}

/** Makes a terminal whose streams are buffers. */
export function createFakeTerminal({ input, isTerminal = false, environment = {}, out, columns = 80 }: FakeTerminalOptions = {}): FakeTerminal {
  const stdout: Uint8Array[] = [];
  const stderr: Uint8Array[] = [];
  const collect = (chunks: Uint8Array[]) => new Writable({ write: (chunk: Uint8Array, _encoding, done) => (chunks.push(chunk), done()) });
  const stdin = Readable.from(input === undefined ? [] : [typeof input === "string" ? Buffer.from(input) : input]);
  const terminal = createTerminal({
    input: Object.assign(stdin, { isTTY: input === undefined }),
    out: out ?? Object.assign(collect(stdout), { isTTY: isTerminal, columns, rows: 24 }),
    err: Object.assign(collect(stderr), { isTTY: isTerminal, columns: 80 }),
    environment,
  });
  return {
    terminal,
    stdout: () => Buffer.concat(stdout).toString(),
    stdoutBytes: () => Buffer.concat(stdout),
    stderr: () => Buffer.concat(stderr).toString(),
  };
}
