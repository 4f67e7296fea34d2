import { invocationIdSchema, parseDuration, parseName } from "@longshore/protocol";
import { defineCommand, flagOf } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { UsageError } from "../command-line/usage-error.ts";
import type { CallOptions, EnqueueOptions } from "../fleet.ts";
import { openBody } from "../invocation/body.ts";
import { callAndTell } from "../invocation/call-and-tell.ts";
import { readPlace, splitHeader } from "../invocation/given-options.ts";
import { inertJson } from "../terminal/inert.ts";

const options = {
  data: { value: "TEXT|@FILE", short: "d", summary: "Body to send; @FILE reads a file, @- stdin. Default: stdin, unless that is a terminal" },
  where: { value: "WHERE", short: "w", summary: "Where it may run: site=plant,label.gpu=true,agent=plant-1" },
  site: { value: "SITE", summary: "The same as --where site=SITE" },
  timeout: { value: "TIME", short: "t", summary: "How long it may take, at most the function's own (30s, 500ms)" },
  id: { value: "UUID", summary: "Invocation id of your own choice, to ask for the result later" },
  key: { value: "KEY", summary: "Idempotency key: under one key it runs once, and every call gets that answer" },
  async: { summary: "Have it accepted, to be begun when and as often as it takes; print its id and do not wait" },
  delay: { value: "TIME", summary: "With --async: not begun before that is over (5m)" },
  notBefore: { value: "TIME", summary: "With --async: not begun before that (2026-12-24T18:00:00Z)" },
  maxAge: { value: "TIME", summary: "With --async: expired where it has not begun so long after it might (default 6h)" },
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
    "The answer's bytes go to stdout as they come, everything else to stderr; on a terminal control characters are made visible, and very long lines cut. Ctrl-C cancels the invocation.\n\n" +
    "With --async it prints the invocation's id once that is on disk: from then on it happens, whoever dies. longshore invocation wait, show, result and cancel take the id.\n\n" +
    "Exit codes: 0 it succeeded; 1 the function failed; 2 the command line or the input is wrong; 3 Longshore could not run it; " +
    "4 it timed out; 5 lost, it may or may not have run; 130 cancelled.",
  options,
  arguments: { name: { summary: "The function" } },
  examples: [
    ["printf 'one two three four' | longshore invoke wordcount", "Bytes of a pipe"],
    ["longshore invoke resize -d @photo.jpg --where site=plant > small.jpg", "A file, at the site plant"],
    ["longshore invoke hello-http -i -d '{\"name\":\"you\"}' -H 'content-type: application/json'", "See where it ran"],
    ["longshore invoke report -d @orders.json --async --delay 5m", "Later, and at least once"],
  ],
  run: async ({ args, options: given }, context) => {
    checkTogether(given);
    const callOptions = readCallOptions(given);
    const laterOptions = readLaterOptions(given);
    const body = await openBody(given.data, context.terminal);
    if (given.async) return printAccepted(await context.fleet().enqueue(args.name, body, { ...callOptions, ...laterOptions }), context);
    return callAndTell(args.name, body, callOptions, { include: given.include }, context);
  },
});

function printAccepted({ invocationId }: { readonly invocationId: string }, { terminal, json }: Context): void {
  terminal.print(json ? inertJson({ invocationId }) : invocationId);
}

interface GivenOptions {
  readonly where: string | undefined;
  readonly site: string | undefined;
  readonly timeout: string | undefined;
  readonly id: string | undefined;
  readonly key: string | undefined;
  readonly async: boolean;
  readonly delay: string | undefined;
  readonly notBefore: string | undefined;
  readonly maxAge: string | undefined;
  readonly include: boolean;
  readonly header: readonly string[];
  readonly method: string | undefined;
  readonly path: string | undefined;
}

function checkTogether(given: GivenOptions): void {
  if (given.key !== undefined && given.id !== undefined) throw new UsageError("Cannot invoke with both --key and --id: the key decides the id");
  const [isAsync, others] = given.async ? [true, ["method", "path", "include"] as const] : [false, ["delay", "notBefore", "maxAge"] as const];
  const stray = others.find((key) => given[key] !== undefined && given[key] !== false);
  if (stray !== undefined) throw new UsageError(`Cannot invoke with ${flagOf(stray)} ${isAsync ? "and --async: what is accepted is a plain POST, and nobody waits for its answer" : "alone: it is for --async"}`);
  if (given.delay !== undefined && given.notBefore !== undefined) throw new UsageError("Cannot invoke with both --delay and --not-before");
}

function readCallOptions(given: GivenOptions): CallOptions {
  return {
    ...readPlace(given),
    ...(given.timeout !== undefined && { timeoutMs: parseDuration(given.timeout, "--timeout") }),
    ...(given.id !== undefined && { invocationId: parseName(invocationIdSchema, given.id, "--id") }),
    ...(given.key !== undefined && { idempotencyKey: given.key }),
    ...(given.method !== undefined && { method: given.method.toUpperCase() }),
    ...(given.path !== undefined && { path: given.path.startsWith("/") ? given.path : `/${given.path}` }),
    ...(given.header.length > 0 && { headers: given.header.map(splitHeader) }),
  };
}

function readLaterOptions(given: GivenOptions): Pick<EnqueueOptions, "delayMs" | "notBefore" | "maxAgeMs"> {
  return {
    ...(given.delay !== undefined && { delayMs: parseDuration(given.delay, "--delay") }),
    ...(given.notBefore !== undefined && { notBefore: readTime(given.notBefore) }),
    ...(given.maxAge !== undefined && { maxAgeMs: parseDuration(given.maxAge, "--max-age") }),
  };
}

/** RFC 3339, zone included: what it means must not depend on whose clock reads it. */
function readTime(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/i.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new UsageError(`Cannot read --not-before ${JSON.stringify(text.slice(0, 40))}: expected a time with its zone, as 2026-12-24T18:00:00Z`);
}
