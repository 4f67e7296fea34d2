import { type InvocationRecord, invocationIdSchema, type InvocationView, parseName } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { type ExitCode, exitCodes, exitCodeOfResult } from "../exit-code.ts";
import { bodyField } from "../invocation/answer-document.ts";
import { copyBody, ReaderGone } from "../invocation/copy-body.ts";
import { describeResult } from "../invocation/tell.ts";
import { inert } from "../terminal/inert.ts";
import { formatBytes, formatDuration } from "../terminal/quantity.ts";
import type { Terminal } from "../terminal/terminal.ts";

const id = { summary: "The invocation's id: Longshore-Invocation-Id, or what invoke -i shows" };

function readId(text: string): string {
  return parseName(invocationIdSchema, text, "ID");
}

/** `longshore invocation show` */
export const invocationShow = defineCommand({
  path: ["invocation", "show"],
  summary: "Show what became of an invocation",
  description: "Records of finished invocations are kept for 15 minutes. The exit code is that of the invocation, or 0 while it is under way.",
  options: {},
  arguments: { id },
  examples: [["longshore invocation show 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "Outcome, place and durations"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const view = await fleet().invocation(readId(args.id)).status();
    if (json) terminal.print(JSON.stringify(view));
    else showView(view, terminal);
    return view.state === "finished" ? exitCodeOfResult(view.record.result) : exitCodes.succeeded;
  },
});

function showView(view: InvocationView, terminal: Terminal): void {
  const rows = view.state === "finished" ? recordRows(view.record) : [["function", view.functionName], ["state", view.state], ["accepted", view.acceptedAt]] as const;
  for (const [name, value] of rows) if (value !== undefined) terminal.print(`${terminal.style.dim(name.padEnd(9))} ${inert(value)}`);
  if (view.state !== "finished") return;
  for (const line of describeResult(view.record.functionName, view.record.result)) terminal.print(line);
}

function recordRows(record: InvocationRecord): readonly (readonly [name: string, value: string | undefined])[] {
  const { timings, result } = record;
  const durations = [["placement", timings.placementMs], ["start", timings.startMs], ["run", timings.runMs], ["total", timings.totalMs]] as const;
  return [
    ["function", record.revisionId ?? record.functionName],
    ["outcome", result.outcome],
    ["where", record.agentId === undefined ? undefined : `${record.siteId}/${record.agentId}`],
    ["start", record.start],
    ["accepted", record.acceptedAt],
    ["finished", record.finishedAt],
    ["took", durations.flatMap(([name, ms]) => (ms === undefined ? [] : [`${name} ${formatDuration(ms)}`])).join(", ") || undefined],
    ["bytes", `${formatBytes(record.payloadBytes)} in, ${formatBytes(record.resultBytes)} out${record.resultKept ? "" : " (body not kept)"}`],
  ];
}

/** `longshore invocation cancel` */
export const invocationCancel = defineCommand({
  path: ["invocation", "cancel"],
  summary: "Cancel an invocation that is under way",
  options: {},
  arguments: { id },
  examples: [["longshore invocation cancel 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "Its caller hears that it was cancelled"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const invocationId = readId(args.id);
    await fleet().invocation(invocationId).cancel();
    terminal.print(json ? JSON.stringify({ cancelling: invocationId }) : `Cancelling ${invocationId}`);
  },
});

/** `longshore invocation result` */
export const invocationResult = defineCommand({
  path: ["invocation", "result"],
  summary: "Write the answer of a finished invocation to stdout, byte for byte",
  options: {},
  arguments: { id },
  examples: [["longshore invocation result 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001 > small.jpg", "For a caller whose connection broke"]],
  run: async ({ args }, { fleet, terminal, json }): Promise<ExitCode> => {
    const body = await fleet().invocation(readId(args.id)).result();
    try {
      if (json) terminal.print(JSON.stringify(bodyField(new Uint8Array(await new Response(body).arrayBuffer()))));
      else await copyBody(body, terminal.out);
      return exitCodes.succeeded;
    } catch (error) {
      if (error instanceof ReaderGone) return exitCodes.readerGone;
      throw error;
    }
  },
});
