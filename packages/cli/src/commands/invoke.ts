import { formatWhere, type InvocationResult, invocationIdSchema, parseDuration, parseName, parseWhere } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { UsageError } from "../command-line/usage-error.ts";
import { type ExitCode, exitCodeOfResult, exitCodes } from "../exit-code.ts";
import type { Answer, CallOptions } from "../fleet.ts";
import { answerChunks } from "../invocation/answer-chunks.ts";
import { answerDocument } from "../invocation/answer-document.ts";
import { openBody } from "../invocation/body.ts";
import { copyBody, ReaderGone } from "../invocation/copy-body.ts";
import { describeResult, tellEnd, tellWhere } from "../invocation/tell.ts";

const options = {
  data: { value: "TEXT|@FILE", short: "d", summary: "Body to send; @FILE reads a file, @- stdin. Default: stdin, unless that is a terminal" },
  where: { value: "WHERE", short: "w", summary: "Where it may run: site=plant,label.gpu=true,agent=plant-1" },
  site: { value: "SITE", summary: "The same as --where site=SITE" },
  timeout: { value: "TIME", short: "t", summary: "How long it may take, at most the function's own (30s, 500ms)" },
  id: { value: "UUID", summary: "Invocation id of your own choice, to ask for the result later" },
  header: { value: "NAME: VALUE", short: "H", repeat: true, summary: "Request header" },
  method: { value: "METHOD", short: "X", summary: "HTTP method (default POST)" },
  path: { value: "PATH", summary: "Path and query (default /)" },
  include: { short: "i", summary: "Tell on stderr where it ran, with status and headers" },
} as const;

/** `longshore invoke` */
export const invoke = defineCommand({
  path: ["invoke"],
  summary: "Invoke a function: stdin to stdout, byte for byte",
  description:
    "The answer's bytes go to stdout as they come, everything else to stderr. Ctrl-C cancels the invocation.\n\n" +
    "Exit codes: 0 it succeeded; 1 the function failed; 2 the command line or the input is wrong; 3 Longshore could not run it; " +
    "4 it timed out; 5 lost, it may or may not have run; 130 cancelled.",
  options,
  arguments: { name: { summary: "The function" } },
  examples: [
    ["printf 'one two three four' | longshore invoke wordcount", "Bytes of a pipe"],
    ["longshore invoke resize -d @photo.jpg --where site=plant > small.jpg", "A file, at the site plant"],
    ["longshore invoke hello-http -i -d '{\"name\":\"you\"}' -H 'content-type: application/json'", "See where it ran"],
  ],
  run: async ({ args, options: given }, context) => {
    const callOptions = readCallOptions(given);
    const body = await openBody(given.data, context.terminal);
    const interrupted = context.interrupts.signal();
    const startedAt = performance.now();
    try {
      const answer = await context.fleet().call(args.name, body, { ...callOptions, signal: interrupted });
      if (context.json) return await printDocument(args.name, answer, context);
      if (given.include) tellWhere(answer, context.terminal);
      await copyBody(answerChunks(answer), context.terminal.out);
      const result = await answer.result;
      if (given.include) tellEnd(result, performance.now() - startedAt, context.terminal);
      return tellResult(args.name, result, context);
    } catch (error) {
      if (error instanceof ReaderGone) return exitCodes.readerGone;
      if (!interrupted.aborted) throw error;
      return tellInterrupted(interrupted.reason as Interruption, context);
    }
  },
});

function tellInterrupted(interruption: Interruption, { terminal }: Context): ExitCode {
  if (interruption !== "SIGPIPE") terminal.note("longshore: Cancelled");
  return exitCodeOfInterruption(interruption);
}

/** Machine form: one JSON document with everything, the body in it. */
async function printDocument(name: string, answer: Answer, context: Context): Promise<ExitCode> {
  const document = await answerDocument(name, answer);
  context.terminal.print(JSON.stringify(document));
  return exitCodeOfResult(document.result);
}

function tellResult(name: string, result: InvocationResult, { terminal }: Context): ExitCode {
  const [head, ...more] = describeResult(name, result);
  if (head !== undefined) terminal.note(`${terminal.errStyle.red("longshore:")} ${head}`);
  for (const line of more) terminal.note(terminal.errStyle.dim(line));
  return exitCodeOfResult(result);
}

interface GivenOptions {
  readonly where: string | undefined;
  readonly site: string | undefined;
  readonly timeout: string | undefined;
  readonly id: string | undefined;
  readonly header: readonly string[];
  readonly method: string | undefined;
  readonly path: string | undefined;
}

function readCallOptions(given: GivenOptions): CallOptions {
  const where = parseWhere([given.where ?? "", given.site === undefined ? "" : `site=${given.site}`].join(","), "--where");
  const whereText = formatWhere(where);
  return {
    ...(whereText !== "" && { where: whereText }),
    ...(given.timeout !== undefined && { timeoutMs: parseDuration(given.timeout, "--timeout") }),
    ...(given.id !== undefined && { invocationId: parseName(invocationIdSchema, given.id, "--id") }),
    ...(given.method !== undefined && { method: given.method.toUpperCase() }),
    ...(given.path !== undefined && { path: given.path.startsWith("/") ? given.path : `/${given.path}` }),
    ...(given.header.length > 0 && { headers: given.header.map(splitHeader) }),
  };
}

function splitHeader(text: string): readonly [name: string, value: string] {
  const at = text.indexOf(":");
  if (at < 1) throw new UsageError(`Cannot read --header ${JSON.stringify(text.slice(0, 40))}: expected NAME: VALUE`);
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
