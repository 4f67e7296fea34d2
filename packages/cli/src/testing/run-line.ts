import type { Interrupts } from "../command-line/interrupts.ts";
import { runCommandLine } from "../command-line/run.ts";
import { commands } from "../commands.ts";
import type { ExitCode } from "../exit-code.ts";
import type { Fleet } from "../fleet.ts";
import { createFakeFleet } from "./fake-fleet.ts";
import { createFakeTerminal, type FakeTerminalOptions } from "./fake-terminal.ts";

export interface LineOptions extends FakeTerminalOptions {
  readonly fleet?: Partial<Fleet>;
  /** Aborted by the test in place of Ctrl-C. */
  readonly signal?: AbortSignal;
}

export interface LineOutcome {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stdoutBytes: Uint8Array;
  readonly stderr: string;
  /** The connection that the command asked a fleet for. */
  readonly connection: { readonly url: string; readonly key: string | undefined } | undefined;
  readonly isFleetClosed: boolean;
}

/** Runs one command line against a fake fleet on a fake terminal; the clock stands at noon. */
export async function runLine(argv: readonly string[], options: LineOptions = {}): Promise<LineOutcome> {
  const fake = createFakeTerminal(options);
  const fleet = createFakeFleet(options.fleet ?? {});
  const interrupts: Interrupts = { signal: () => options.signal ?? new AbortController().signal, next: () => new Promise(() => undefined) };
  let connection: LineOutcome["connection"];
  const exitCode = await runCommandLine(argv, {
    commands, interrupts,
    terminal: fake.terminal,
    environment: options.environment ?? {},
    createFleet: (asked) => {
      connection = asked;
      return fleet;
    },
    now: () => Date.parse("2026-11-25T12:00:00.000Z"),
  });
  return { exitCode, stdout: fake.stdout(), stdoutBytes: fake.stdoutBytes(), stderr: fake.stderr(), connection, isFleetClosed: fleet.isClosed() };
}
