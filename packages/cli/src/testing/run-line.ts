import type { Connection } from "../command-line/connection.ts";
import type { Interrupts } from "../command-line/interrupts.ts";
import { runCommandLine } from "../command-line/run.ts";
import { commands } from "../commands.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Fleet } from "../fleet.ts";
import type { LocalParts } from "../local/parts.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { createFakeFleet } from "./fake-fleet.ts";
import { createFakeTerminal, type FakeTerminalOptions } from "./fake-terminal.ts";

export interface LineOptions extends FakeTerminalOptions {
  readonly fleet?: Partial<Fleet>;
  /** Aborted by the test in place of Ctrl-C. */
  readonly signal?: AbortSignal;
  readonly interrupts?: Interrupts;
  readonly localParts?: LocalParts;
  /** Epoch milliseconds; default: the clock stands at noon. */
  readonly now?: () => number;
  /** Told of all that is written to stdout, as it is. */
  readonly onPrint?: (text: string) => unknown;
}

export interface LineOutcome {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
  /** The connection that the command asked a fleet for. */
  readonly connection: Connection | undefined;
  readonly isFleetClosed: boolean;
}

const refuse = (): never => {
  throw new Error("The test has no local parts");
};
const noParts: LocalParts = { startBroker: refuse, joinedAs: refuse, joinHost: refuse, startAgent: refuse, backUp: refuse, restore: refuse };

/** Runs one command line against a fake fleet on a fake terminal; the clock stands at noon. */
export async function runLine(argv: readonly string[], options: LineOptions = {}): Promise<LineOutcome> {
  const fake = createFakeTerminal(options);
  const watched: Terminal = { ...fake.terminal, print: (line) => (fake.terminal.print(line), void options.onPrint?.(`${line}\n`)) };
  const fleet = createFakeFleet(options.fleet ?? {});
  const interrupts = options.interrupts ?? { signal: () => options.signal ?? new AbortController().signal, next: () => new Promise<never>(() => undefined) };
  let connection: LineOutcome["connection"];
  const exitCode = await runCommandLine(argv, {
    commands, interrupts,
    terminal: watched,
    environment: options.environment ?? {},
    createFleet: (asked) => {
      connection = asked;
      return fleet;
    },
    loadLocalParts: () => Promise.resolve(options.localParts ?? noParts),
    now: options.now ?? (() => Date.parse("2026-11-25T12:00:00.000Z")),
  });
  return { exitCode, stdout: fake.stdout(), stdoutBytes: fake.stdoutBytes(), stderr: fake.stderr(), connection, isFleetClosed: fleet.isClosed() };
}
