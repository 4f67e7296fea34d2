import { defaultPort } from "@longshore/protocol";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { reportFailure } from "../failure.ts";
import type { CreateFleet, Fleet } from "../fleet.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Command } from "./command.ts";
import type { Connection } from "./connection.ts";
import type { Context } from "./context.ts";
import { commandHelp, overview } from "./help.ts";
import type { Interrupts } from "./interrupts.ts";
import { findCommand, parseLine } from "./parse.ts";

/** The world around a command line. */
export interface Surroundings {
  readonly commands: readonly Command[];
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  readonly interrupts: Interrupts;
  readonly createFleet: CreateFleet;
  readonly loadLocalParts: Context["loadLocalParts"];
  readonly now: () => number;
}

/** Runs one command line from its words to its exit code; every failure has been told when it returns. */
export async function runCommandLine(argv: readonly string[], around: Surroundings): Promise<ExitCode> {
  const { terminal, environment } = around;
  const layout = { columns: Math.min(terminal.columns(), 110), style: terminal.style };
  let action = "Cannot run longshore";
  const json = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : argv.length).includes("--json");
  try {
    const found = findCommand(around.commands, argv);
    if (found.kind === "overview") {
      terminal.print(overview(around.commands, found.group, layout));
      return exitCodes.succeeded;
    }
    const { command, words } = found;
    action = `Cannot run ${command.path.join(" ")}`;
    const line = parseLine(command, words);
    if (line.options["help"] === true) {
      terminal.print(commandHelp(command, layout));
      return exitCodes.succeeded;
    }
    return await runCommand(command, line, around);
  } catch (error) {
    return reportFailure(error, action, { terminal, environment, json });
  }
}

async function runCommand(command: Command, line: ReturnType<typeof parseLine>, around: Surroundings): Promise<ExitCode> {
  const { terminal, environment, interrupts, now } = around;
  const connection = resolveConnection(line.options, environment);
  let fleet: Fleet | undefined;
  const context: Context = {
    terminal, environment, interrupts, now, connection,
    connect: around.createFleet,
    loadLocalParts: around.loadLocalParts,
    json: line.options["json"] === true,
    fleet: () => (fleet ??= around.createFleet(connection)),
  };
  try {
    // The parser has shaped the values as the command's own specs ask.
    return (await command.run(line as Parameters<Command["run"]>[0], context)) ?? exitCodes.succeeded;
  } finally {
    await fleet?.close();
  }
}

/** Flag, then environment, then the port that a broker listens on unless told otherwise. */
export function resolveConnection(options: Readonly<Record<string, unknown>>, environment: NodeJS.ProcessEnv): Connection {
  const flagOrVariable = (key: string, variable: string): string | undefined => (options[key] as string | undefined) ?? (environment[variable] || undefined);
  const url = flagOrVariable("url", "LONGSHORE_URL") ?? `http://127.0.0.1:${defaultPort}`;
  return { url: url.includes("://") ? url : `http://${url}`, key: flagOrVariable("key", "LONGSHORE_KEY"), caFile: flagOrVariable("ca", "LONGSHORE_CA") };
}
