import type { DeployAnswer, InvocationRecord, LogLine } from "@longshore/protocol";
import type { Context } from "../command-line/context.ts";
import { describeFailure } from "../failure.ts";
import { createRecordLines } from "../invocation/record-line.ts";
import { describeResult } from "../invocation/tell.ts";
import { inert, inertJson, inertLines } from "../terminal/inert.ts";
import { formatLogLine } from "../terminal/log-line.ts";
import { formatDuration } from "../terminal/quantity.ts";

/** What a person who develops is told, or with --json a program: one JSON line each. */
export interface DevLog {
  readonly building: () => void;
  /** `tookMs`: from the save to that. */
  readonly live: (answer: DeployAnswer, tookMs: number) => void;
  /** `output`: what the build said. */
  readonly failed: (error: unknown, output: string, servesStill: string | undefined) => void;
  readonly line: (line: LogLine) => void;
  readonly ended: (record: InvocationRecord) => void;
}

const mostOutputLines = 40;

/** A log to stdout. */
export function createDevLog({ terminal, json }: Pick<Context, "terminal" | "json">): DevLog {
  const { style, print } = terminal;
  const columns = () => (terminal.isOutTerminal ? terminal.size().columns : Infinity);
  const recordLine = createRecordLines({ style, columns });
  if (json) {
    return {
      building: () => print(inertJson({ event: "building" })),
      live: (answer, tookMs) => print(inertJson({ event: "live", revisionId: answer.function.revisionId, changed: answer.changed, tookMs: Math.round(tookMs) })),
      failed: (error, output, servesStill) => print(inertJson({ event: "failed", error: describeFailure(error, "Cannot deploy").shape, output, servesStill })),
      line: (line) => print(inertJson({ event: "log", ...line })),
      ended: (record) => print(inertJson({ event: "invocation", record })),
    };
  }
  return {
    building: () => print(style.dim("● building")),
    live: ({ function: view, changed }, tookMs) => print(style.green(inert(`● ${changed ? `${view.revisionId} is live` : `${view.revisionId} is unchanged`}, ${formatDuration(tookMs)} after the save`))),
    failed: (error, output, servesStill) => {
      const said = inertLines(output.trimEnd()).split("\n").filter((line) => line !== "").slice(-mostOutputLines);
      for (const line of said) print(style.dim(`  | ${line}`));
      print(style.red(`● ${inert(describeFailure(error, "Cannot deploy").message)}`));
      if (servesStill !== undefined) print(style.yellow(inert(`  ${servesStill} serves on`)));
    },
    line: (line) => print(formatLogLine(line, { style, withFunction: false, isCut: terminal.isOutTerminal })),
    ended: (record) => {
      print(recordLine(record));
      for (const line of describeResult(record.functionName, record.result).slice(1)) print(style.dim(line));
    },
  };
}
