import { createInvocationId, parseDuration } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import { readCount } from "../command-line/count.ts";
import { exitCodeOfInterruption, type Interruption } from "../command-line/interrupts.ts";
import { exitCodes } from "../exit-code.ts";
import type { MapOptions, MapProgress, MapResult } from "../fleet.ts";
import { bodyField } from "../invocation/answer-document.ts";
import { ReaderGone } from "../invocation/copy-body.ts";
import { readPlace, splitHeader } from "../invocation/given-options.ts";
import { countInputs, inputsOf, type LineForm, openInputs } from "../invocation/map-inputs.ts";
import { printBody } from "../invocation/print-body.ts";
import { inertJson } from "../terminal/inert.ts";
import { showMap } from "./map-progress.ts";

const options = {
  lines: { summary: "Each line is text, not JSON" },
  concurrency: { value: "N", short: "c", summary: "So many are accepted at once (default 64)" },
  id: { value: "MAPID", summary: "Name of this piece of work: the same again, with the same inputs, takes it up where it was" },
  where: { value: "WHERE", short: "w", summary: "Where they may run: site=plant,label.gpu=true,agent=plant-1" },
  site: { value: "SITE", summary: "The same as --where site=SITE" },
  timeout: { value: "TIME", short: "t", summary: "How long an attempt may take, at most the function's own (30s, 500ms)" },
  maxAge: { value: "TIME", summary: "Expired where it has not begun so long after it was accepted (default 6h)" },
  header: { value: "NAME: VALUE", short: "H", repeat: true, summary: "Request header" },
} as const;

/** `longshore map` */
export const map = defineCommand({
  path: ["map"],
  summary: "Invoke a function for each line of a file or of stdin",
  description:
    "Inputs are JSON documents, one a line (with --lines: text). Each is accepted, to be begun when and as often as it takes; results are JSON lines on stdout in the order in which they come: " +
    "index (from 0), invocationId, outcome, and value (valueBase64 where it is no text) or error. However many there are, memory is bounded.\n\n" +
    "When it is interrupted, what was accepted goes on, and it tells with which --id it is taken up again: nothing runs a second time, for seven days.\n\n" +
    "Exit codes: 0 all succeeded; 1 some failed, as their lines say; 2 the command line or an input is wrong; 3 Longshore could not go on; 130 interrupted.",
  options,
  arguments: { name: { summary: "The function" }, file: { optional: true, summary: "Where the inputs are; - or nothing: stdin" } },
  examples: [
    ["longshore map resize photos.jsonl > done.jsonl", "A file of JSON documents"],
    ["find /data -name '*.csv' | longshore map convert --lines -c 500", "Lines of a pipe"],
  ],
  run: async ({ args: { name, file }, options: given }, context) => {
    const form: LineForm = given.lines ? "text" : "json";
    const mapId = given.id ?? createInvocationId();
    const mapOptions = readMapOptions(given, form, mapId);
    const path = file === undefined || file === "-" ? undefined : file;
    const total = path === undefined ? undefined : await countInputs(path, form);
    const input = path === undefined ? context.terminal.input : await openInputs(path);
    const interrupted = context.interrupts.signal();
    const shown = showMap(name, total, context);
    const tally = { accepted: 0, failed: 0 };
    const onProgress = (progress: MapProgress) => {
      tally.accepted = progress.accepted;
      shown.update(progress);
    };
    try {
      const results = context.fleet().map(name, inputsOf(input, form, path ?? "stdin"), { ...mapOptions, signal: interrupted, onProgress });
      await printBody(linesOf(results, tally), context.terminal);
      shown.finish();
      return tally.failed === 0 ? exitCodes.succeeded : exitCodes.functionFailed;
    } catch (error) {
      shown.finish();
      if (tally.accepted > 0) context.terminal.note(context.terminal.errStyle.dim(`What was accepted goes on; the same command with --id ${mapId} takes it up again`));
      if (error instanceof ReaderGone) return exitCodes.readerGone;
      if (!interrupted.aborted) throw error;
      return exitCodeOfInterruption(interrupted.reason as Interruption);
    } finally {
      input.destroy(); // Else a stdin that nobody ends keeps the process.
    }
  },
});

async function* linesOf(results: AsyncIterable<MapResult>, tally: { failed: number }): AsyncGenerator<Uint8Array, void> {
  for await (const result of results) {
    if (result.error !== undefined) tally.failed += 1;
    yield Buffer.from(`${inertJson(documentOf(result))}\n`);
  }
}

/** A result as programs read it. */
function documentOf({ index, invocationId, record, value, error }: MapResult): object {
  const head = { index, invocationId, outcome: record?.result.outcome };
  if (error === undefined) return { ...head, ...valueField(value) };
  const { code, reason, message } = error;
  return { ...head, error: { code, reason, message, stderrTail: record?.result.stderrTail } };
}

function valueField(value: unknown): object {
  if (!(value instanceof Uint8Array)) return { value };
  const field = bodyField(value);
  return "body" in field ? { value: field.body } : { valueBase64: field.bodyBase64 };
}

interface GivenOptions {
  readonly concurrency: string | undefined;
  readonly where: string | undefined;
  readonly site: string | undefined;
  readonly timeout: string | undefined;
  readonly maxAge: string | undefined;
  readonly header: readonly string[];
}

function readMapOptions(given: GivenOptions, form: LineForm, mapId: string): Omit<MapOptions, "onProgress"> {
  const headers = given.header.map(splitHeader);
  const isTyped = headers.some(([name]) => name.toLowerCase() === "content-type");
  return {
    mapId,
    ...readPlace(given),
    ...(given.concurrency !== undefined && { concurrency: Math.max(1, readCount(given.concurrency, "--concurrency", 10_000)) }),
    ...(given.timeout !== undefined && { timeoutMs: parseDuration(given.timeout, "--timeout") }),
    ...(given.maxAge !== undefined && { maxAgeMs: parseDuration(given.maxAge, "--max-age") }),
    headers: isTyped || form === "text" ? headers : [...headers, ["content-type", "application/json"]],
  };
}
