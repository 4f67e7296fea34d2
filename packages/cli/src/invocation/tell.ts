import type { InvocationResult } from "@longshore/protocol";
import type { Answer } from "../fleet.ts";
import { inert, inertLines } from "../terminal/inert.ts";
import { formatDuration } from "../terminal/quantity.ts";
import type { Terminal } from "../terminal/terminal.ts";

/** Where an answer comes from and how it began: `HTTP 200 · plant/plant-1 · held · 0197…`. */
export function tellWhere(answer: Answer, terminal: Terminal): void {
  const parts = [
    ...(answer.status === undefined ? [] : [`HTTP ${answer.status}`]),
    `${answer.siteId ?? "?"}/${answer.agentId ?? "?"}`,
    answer.start ?? "?",
    answer.invocationId,
  ];
  terminal.note(terminal.errStyle.dim(inert(parts.join(" · "))));
  for (const [name, value] of answer.headers) terminal.note(terminal.errStyle.dim(inert(`${name}: ${value}`)));
}

/** How it ended and how long it took, for `-i`. */
export function tellEnd(result: InvocationResult, totalMs: number, terminal: Terminal): void {
  terminal.note(terminal.errStyle.dim(`${result.outcome} after ${formatDuration(totalMs)}`));
}

const verbs: Record<Exclude<InvocationResult["outcome"], "succeeded">, string> = {
  failed: "failed",
  timed_out: "timed out",
  oom_killed: "ran out of memory",
  cancelled: "was cancelled",
  expired: "expired before it could start",
  rejected: "was rejected",
  lost: "was lost: it may or may not have run",
};

/** What became of an invocation that did not succeed, with the tail of the program's stderr, as lines for stderr. */
export function describeResult(functionName: string, result: InvocationResult): readonly string[] {
  if (result.outcome === "succeeded") return [];
  const evidence = [
    result.exitCode === undefined ? undefined : `exit code ${result.exitCode}`,
    result.signal,
    result.status === undefined ? undefined : `HTTP ${result.status}`,
  ].filter((part) => part !== undefined);
  const why = result.message ?? result.error?.message;
  const head = `Function ${JSON.stringify(functionName)} ${verbs[result.outcome]}${evidence.length === 0 ? "" : ` (${evidence.join(", ")})`}`;
  const stopped = result.stopProven === false ? ["  it may still be running: the instance is shared with others and was not stopped"] : [];
  const tail = result.stderrTail === undefined || result.stderrTail.trim() === "" ? [] : ["  the end of its stderr:", ...indent(result.stderrTail)];
  return [inert(why === undefined ? head : `${head}: ${why}`), ...stopped, ...tail];
}

function indent(text: string): readonly string[] {
  return inertLines(text.trimEnd()).split("\n").map((line) => `  | ${line}`);
}
