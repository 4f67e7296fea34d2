import type { CreateFleet, Fleet } from "../fleet.ts";
import type { LocalParts } from "../local/parts.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Connection } from "./connection.ts";
import type { Interrupts } from "./interrupts.ts";

/** What a command works with. Nothing else of the process is touched, so that tests can stand in for all of it. */
export interface Context {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Write for programs: JSON to stdout, nothing else there. */
  readonly json: boolean;
  /** Where the broker is and with which key; resolved from flags and environment. */
  readonly connection: Connection;
  /** The fleet behind {@link connection}; made at first use, closed when the command ends. */
  readonly fleet: () => Fleet;
  /** A fleet elsewhere; whoever asks closes it. */
  readonly connect: CreateFleet;
  /** What starts brokers and agents in this process. */
  readonly loadLocalParts: () => Promise<LocalParts>;
  readonly interrupts: Interrupts;
  /** Epoch milliseconds. */
  readonly now: () => number;
}
