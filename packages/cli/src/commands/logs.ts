import { once } from "node:events";
import { agentIdSchema, functionNameSchema, invocationIdSchema, logStreams, type LogLine, maxTailLines, parseDuration, parseName, siteIdSchema } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { readCount } from "../command-line/count.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { exitCodes } from "../exit-code.ts";
import type { Fleet, LogOptions } from "../fleet.ts";
import { inertJson } from "../terminal/inert.ts";
import { formatLogLine } from "../terminal/log-line.ts";
import type { Terminal } from "../terminal/terminal.ts";

const streams: Readonly<Record<string, LogLine["stream"]>> = { out: "stdout", err: "stderr", sys: "system", ...Object.fromEntries(logStreams.map((stream) => [stream, stream])) };

interface Choice {
  readonly follow: boolean;
  readonly tail: string | undefined;
  readonly since: string | undefined;
  readonly site: string | undefined;
  readonly agent: string | undefined;
  readonly instance: string | undefined;
  readonly stream: string | undefined;
}

/** `longshore logs` */
export const logs = defineCommand({
  path: ["logs"],
  summary: "Show what instances of functions write, on every agent",
  description:
    "Each line tells when (UTC), where (site/agent and the end of the instance's id) and on which stream it was written: out, err, or sys for our own notes, as of lines that were cut. Agents keep lines in memory, for a while after the instance, and the function, are gone.\n\nLines of one invocation are known where an instance serves one at a time.",
  options: {
    follow: { short: "f", summary: "Go on with new lines until Ctrl-C, or the end of the invocation" },
    tail: { value: "N", summary: "At most that many lines from before (default 100)" },
    since: { value: "TIME", summary: "Only lines that are no older: 10m" },
    invocation: { value: "ID", summary: "One invocation's lines, in place of a function's" },
    site: { value: "SITE", summary: "Only agents of that site" },
    agent: { value: "ID", summary: "Only that agent" },
    instance: { value: "ID", summary: "Only that instance, by its whole id (--json shows it)" },
    stream: { value: "STREAM", summary: "Only out, err or sys" },
  },
  arguments: { function: { optional: true, repeat: true, summary: "The function, or several" } },
  examples: [
    ["longshore logs resize", "The last 100 lines"],
    ["longshore logs -f resize thumbnail", "Both, as they write"],
    ["longshore logs --since 10m --site plant --stream err resize", "What went wrong in the plant"],
    ["longshore logs --invocation 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "What one invocation wrote"],
    ["longshore logs -f --tail 0 --json resize", "New lines only, for a program"],
  ],
  run: async ({ args, options }, { fleet, terminal, json, interrupts }) => {
    const names = args.function.map((name) => parseName(functionNameSchema, name, "FUNCTION"));
    const open = openerOf(names, options.invocation);
    const chosen = readChoice(options);
    const signal = options.follow ? interrupts.signal() : undefined;
    try {
      const lines = open(fleet(), { ...chosen, ...(signal !== undefined && { signal }) });
      await printLines(lines, terminal, (line) => (json ? inertJson(line) : formatLogLine(line, { style: terminal.style, withFunction: names.length > 1, isCut: terminal.isOutTerminal })));
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
    return signal?.aborted === true ? exitCodeOfInterruption(signal.reason as Interruption) : exitCodes.succeeded;
  },
});

function openerOf(names: readonly string[], invocation: string | undefined): (fleet: Fleet, options: LogOptions) => AsyncIterable<LogLine> {
  if (invocation === undefined) {
    if (names.length === 0) throw new UsageError("Cannot run logs: FUNCTION or --invocation is missing", "longshore logs --help shows what it takes");
    return (fleet, options) => fleet.logs(names, options);
  }
  if (names.length > 0) throw new UsageError("Cannot run logs: FUNCTION and --invocation exclude one another", "an invocation's id is enough");
  const invocationId = parseName(invocationIdSchema, invocation, "--invocation");
  return (fleet, options) => fleet.invocation(invocationId).logs(options);
}

function readChoice({ follow, tail, since, site, agent, instance, stream }: Choice): LogOptions {
  return {
    follow,
    tail: readCount(tail ?? "100", "--tail", maxTailLines),
    ...(since !== undefined && { sinceMs: parseDuration(since, "--since") }),
    ...(site !== undefined && { siteId: parseName(siteIdSchema, site, "--site") }),
    ...(agent !== undefined && { agentId: parseName(agentIdSchema, agent, "--agent") }),
    ...(instance !== undefined && { instanceId: instance }),
    ...(stream !== undefined && { stream: readStream(stream) }),
  };
}

function readStream(text: string): LogLine["stream"] {
  const stream = Object.hasOwn(streams, text) ? streams[text] : undefined;
  if (stream === undefined) throw new UsageError(`Cannot read --stream ${JSON.stringify(text.slice(0, 40))}: expected out, err or sys`);
  return stream;
}

/** Takes lines no faster than stdout does: whoever is behind it may be slow. */
async function printLines(lines: AsyncIterable<LogLine>, { print, out }: Terminal, format: (line: LogLine) => string): Promise<void> {
  for await (const line of lines) {
    print(format(line));
    if (out.writableNeedDrain) await once(out, "drain").catch(() => undefined); // Its errors are told where it is watched.
  }
}
