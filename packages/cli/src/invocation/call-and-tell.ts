import type { InvocationResult } from "@longshore/protocol";
import type { Context } from "../command-line/context.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { type ExitCode, exitCodeOfResult, exitCodes } from "../exit-code.ts";
import type { Answer, CallBody, CallOptions } from "../fleet.ts";
import { inertJson } from "../terminal/inert.ts";
import { answerChunks } from "./answer-chunks.ts";
import { answerDocument } from "./answer-document.ts";
import { ReaderGone } from "./copy-body.ts";
import { printBody } from "./print-body.ts";
import { describeResult, tellEnd, tellWhere } from "./tell.ts";

/** Calls a function and writes its answer to stdout as it comes, or one document with `--json`; with `include` where it ran to stderr. An interrupt cancels it. */
export async function callAndTell(name: string, body: CallBody, options: CallOptions, { include }: { readonly include: boolean }, context: Context): Promise<ExitCode> {
  const interrupted = context.interrupts.signal();
  const startedAt = performance.now();
  try {
    const answer = await context.fleet().call(name, body, { ...options, signal: interrupted });
    if (context.json) return await printDocument(name, answer, context);
    if (include) tellWhere(answer, context.terminal);
    await printBody(answerChunks(answer), context.terminal);
    const result = await answer.result;
    if (include) tellEnd(result, performance.now() - startedAt, context.terminal);
    return tellResult(name, result, context);
  } catch (error) {
    if (error instanceof ReaderGone) return exitCodes.readerGone;
    if (!interrupted.aborted) throw error;
    return tellInterrupted(interrupted.reason as Interruption, context);
  }
}

function tellInterrupted(interruption: Interruption, { terminal }: Context): ExitCode {
  if (interruption !== "SIGPIPE") terminal.note("longshore: Cancelled");
  return exitCodeOfInterruption(interruption);
}

/** Machine form: one JSON document with everything, the body in it. */
async function printDocument(name: string, answer: Answer, context: Context): Promise<ExitCode> {
  const document = await answerDocument(name, answer);
  context.terminal.print(inertJson(document));
  return exitCodeOfResult(document.result);
}

function tellResult(name: string, result: InvocationResult, { terminal }: Context): ExitCode {
  const [head, ...more] = describeResult(name, result);
  if (head !== undefined) terminal.note(`${terminal.errStyle.red("longshore:")} ${head}`);
  for (const line of more) terminal.note(terminal.errStyle.dim(line));
  return exitCodeOfResult(result);
}
