import { once } from "node:events";
import { agentIdSchema, functionNameSchema, type InvocationRecord, type Outcome, outcomes, parseName, siteIdSchema } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { type ExitCode, exitCodes } from "../exit-code.ts";
import { followRecords, type RecordFilter } from "../invocation/follow-records.ts";
import { createRecordLines } from "../invocation/record-line.ts";
import { inertJson } from "../terminal/inert.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** `longshore watch invocations` */
export const watchInvocations = defineCommand({
  path: ["watch", "invocations"],
  summary: "Show each invocation as it ends, until Ctrl-C",
  description:
    "One line each: when it ended (UTC), what became of it, its function, where it ran, how its instance came to be, how long it took in all, its id (longshore trace ID shows its parts), and why where it did not succeed. " +
    "When the connection breaks it is taken up again, and what ended meanwhile is shown then.",
  options: {
    function: { value: "NAME", summary: "Only those of this function" },
    outcome: { value: "OUTCOME", summary: `Only those that ended so: ${outcomes.join(", ")}` },
    site: { value: "SITE", summary: "Only those that ran at this site" },
    agent: { value: "ID", summary: "Only those that ran at this agent" },
  },
  arguments: {},
  examples: [
    ["longshore watch invocations", "Everything"],
    ["longshore watch invocations --function resize --outcome failed", "What goes wrong, as it does"],
    ["longshore watch invocations --json | jq -r .functionName", "The records, for a program"],
  ],
  run: async ({ options }, { fleet, terminal, json, interrupts, now }): Promise<ExitCode> => {
    const filter = readFilter(options);
    const signal = interrupts.signal();
    const format = createRecordLines({ style: terminal.style, columns: () => (terminal.isOutTerminal ? terminal.size().columns : Infinity) });
    const onConnected = (told: { isAgain: boolean; isWhole: boolean }) => tellConnected(told, terminal);
    try {
      const records = followRecords(fleet(), { filter, signal, fromAt: new Date(now()).toISOString(), onConnected });
      await printRecords(records, terminal, (record) => (json ? inertJson(record) : format(record)));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    return signal.aborted ? exitCodeOfInterruption(signal.reason as Interruption) : exitCodes.succeeded;
  },
});

interface Choice {
  readonly function: string | undefined;
  readonly outcome: string | undefined;
  readonly site: string | undefined;
  readonly agent: string | undefined;
}

function readFilter({ function: name, outcome, site, agent }: Choice): RecordFilter {
  return {
    ...(name !== undefined && { function: parseName(functionNameSchema, name, "--function") }),
    ...(outcome !== undefined && { outcome: readOutcome(outcome) }),
    ...(site !== undefined && { site: parseName(siteIdSchema, site, "--site") }),
    ...(agent !== undefined && { agent: parseName(agentIdSchema, agent, "--agent") }),
  };
}

function readOutcome(text: string): Outcome {
  const outcome = outcomes.find((candidate) => candidate === text);
  if (outcome === undefined) throw new UsageError(`Cannot read --outcome ${JSON.stringify(text.slice(0, 40))}: expected one of ${outcomes.join(", ")}`);
  return outcome;
}

function tellConnected({ isAgain, isWhole }: { readonly isAgain: boolean; readonly isWhole: boolean }, { note, errStyle, isErrTerminal }: Terminal): void {
  if (isAgain) note(errStyle.yellow(isWhole ? "The connection broke and is back; what ended meanwhile follows" : "The connection broke and is back; what ended meanwhile is not shown"));
  else if (isErrTerminal) note(errStyle.dim("Watching; Ctrl-C ends it"));
}

/** Takes records no faster than stdout does. */
async function printRecords(records: AsyncIterable<InvocationRecord>, { print, out }: Terminal, format: (record: InvocationRecord) => string): Promise<void> {
  for await (const record of records) {
    print(format(record));
    if (out.writableNeedDrain) await once(out, "drain").catch(() => undefined); // Its errors are told where it is watched.
  }
}
