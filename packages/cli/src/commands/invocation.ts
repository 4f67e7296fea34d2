import { type InvocationRecord, invocationIdSchema, type InvocationView, parseName, type PastAttempt, type PendingInvocation } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { type ExitCode, exitCodes, exitCodeOfResult } from "../exit-code.ts";
import { bodyField } from "../invocation/answer-document.ts";
import { ReaderGone } from "../invocation/copy-body.ts";
import { printBody } from "../invocation/print-body.ts";
import { describeResult } from "../invocation/tell.ts";
import { inert, inertJson } from "../terminal/inert.ts";
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
  description: "Records of finished invocations are kept for 15 minutes, of accepted ones for seven days. The exit code is that of the invocation, or 0 while it is under way.",
  options: {},
  arguments: { id },
  examples: [["longshore invocation show 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "Outcome, place and durations"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const view = await fleet().invocation(readId(args.id)).status();
    if (json) terminal.print(inertJson(view));
    else showView(view, terminal);
    return view.state === "finished" ? exitCodeOfResult(view.record.result) : exitCodes.succeeded;
  },
});

function showView(view: InvocationView, terminal: Terminal): void {
  const rows = view.state === "finished" ? recordRows(view.record) : pendingRows(view);
  for (const [name, value] of rows) if (value !== undefined) terminal.print(`${terminal.style.dim(name.padEnd(9))} ${inert(value)}`);
  if (view.state !== "finished") return;
  for (const line of describeResult(view.record.functionName, view.record.result)) terminal.print(line);
}

type Rows = readonly (readonly [name: string, value: string | undefined])[];

function pendingRows(view: PendingInvocation): Rows {
  return [
    ["function", view.functionName],
    ["state", view.cancelRequested === true ? `${view.state}, to be cancelled` : view.state],
    ["attempt", view.attempt === undefined ? undefined : String(view.attempt)],
    ["where", view.agentId === undefined ? undefined : `${view.siteId}/${view.agentId}`],
    ["accepted", view.acceptedAt],
    ["begins", view.notBefore === undefined ? undefined : `not before ${view.notBefore}`],
    ["expires", view.expiresAt],
    ...pastRows(view.past),
  ];
}

/** Attempts that were followed by another. */
function pastRows(past: readonly PastAttempt[] = []): Rows {
  return past.map(({ attempt, siteId, agentId, endedAt, result }) => ["before", `attempt ${attempt} ${result.outcome} at ${siteId}/${agentId}, ${endedAt}`]);
}

function recordRows(record: InvocationRecord): Rows {
  const { timings, result } = record;
  const durations = [["placement", timings.placementMs], ["start", timings.startMs], ["run", timings.runMs], ["total", timings.totalMs]] as const;
  return [
    ["function", record.revisionId ?? record.functionName],
    ["outcome", result.outcome],
    ["where", record.agentId === undefined ? undefined : `${record.siteId}/${record.agentId}`],
    ["attempt", record.attempt === 1 ? undefined : String(record.attempt)],
    ...pastRows(record.past),
    ["start", record.start],
    ["accepted", record.acceptedAt],
    ["finished", record.finishedAt],
    ["took", durations.flatMap(([name, ms]) => (ms === undefined ? [] : [`${name} ${formatDuration(ms)}`])).join(", ") || undefined],
    ["bytes", `${formatBytes(record.payloadBytes)} in, ${formatBytes(record.resultBytes)} out${record.resultKept ? "" : " (body not kept)"}`],
  ];
}

/** `longshore invocation wait` */
export const invocationWait = defineCommand({
  path: ["invocation", "wait"],
  summary: "Wait until an invocation has ended, and show what became of it",
  description: "However long that takes, and over broken connections. Ctrl-C ends the waiting, not the invocation. The exit code is that of the invocation.",
  options: {},
  arguments: { id },
  examples: [["longshore invocation wait 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001 && echo done", "For one that invoke --async began"]],
  run: async ({ args }, { fleet, terminal, json, interrupts }): Promise<ExitCode> => {
    const interrupted = interrupts.signal();
    try {
      const record = await fleet().invocation(readId(args.id)).ended({ signal: interrupted });
      const view = { state: "finished", record } as const;
      if (json) terminal.print(inertJson(view));
      else showView(view, terminal);
      return exitCodeOfResult(record.result);
    } catch (error) {
      if (!interrupted.aborted) throw error;
      return exitCodeOfInterruption(interrupted.reason as Interruption);
    }
  },
});

/** `longshore invocation cancel` */
export const invocationCancel = defineCommand({
  path: ["invocation", "cancel"],
  summary: "Cancel an invocation that waits or is under way",
  options: {},
  arguments: { id },
  examples: [["longshore invocation cancel 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "Its caller hears that it was cancelled"]],
  run: async ({ args }, { fleet, terminal, json }) => {
    const invocationId = readId(args.id);
    await fleet().invocation(invocationId).cancel();
    terminal.print(json ? inertJson({ cancelling: invocationId }) : `Cancelling ${invocationId}`);
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
      if (json) terminal.print(inertJson(bodyField(new Uint8Array(await new Response(body).arrayBuffer()))));
      else await printBody(body, terminal);
      return exitCodes.succeeded;
    } catch (error) {
      if (error instanceof ReaderGone) return exitCodes.readerGone;
      throw error;
    }
  },
});
