import { openAsBlob } from "node:fs";
import { invocationIdSchema, LongshoreError, parseDuration, parseName } from "@longshore/protocol";
import { defineCommand } from "../command-line/command.ts";
import type { Context } from "../command-line/context.ts";
import { UsageError } from "../command-line/usage-error.ts";
import type { ExitCode } from "../exit-code.ts";
import type { CallBody, CallOptions } from "../fleet.ts";
import { callAndTell } from "../invocation/call-and-tell.ts";
import { readPlace, splitHeader } from "../invocation/given-options.ts";
import { readRecordedRequest, type RecordedRequest } from "../invocation/recorded-request.ts";
import { inertJson } from "../terminal/inert.ts";

const options = {
  body: { value: "FILE", summary: "Send that in place of what was recorded; - is stdin" },
  from: { value: "URL", summary: "The broker that has the record (default: the one that runs it again)" },
  fromKey: { value: "KEY", summary: "API key for --from (default: the same as --key)" },
  function: { value: "NAME", summary: "Run this function instead" },
  header: { value: "NAME: VALUE", short: "H", repeat: true, summary: "Request header, instead of those recorded of that name" },
  where: { value: "WHERE", short: "w", summary: "Where it may run, instead of what was recorded: site=plant,agent=plant-1" },
  site: { value: "SITE", summary: "The same as --where site=SITE" },
  timeout: { value: "TIME", short: "t", summary: "How long it may take, at most the function's own (30s, 500ms)" },
  async: { summary: "Have it accepted, print its id and do not wait" },
  include: { short: "i", summary: "Tell on stderr where it ran, with status and headers" },
} as const;

/** `longshore replay` */
export const replay = defineCommand({
  path: ["replay"],
  summary: "Run a recorded invocation again, and print its answer as invoke does",
  description:
    "Method, path, headers, body and where it might run are those of its record. They are kept of accepted invocations that did not succeed (14 days, longshore dead-letter ls); nothing is taken from there. " +
    "Of all others only the function is known: give the body with --body, and headers with -H; it is a plain POST then. Without --body it ends with 3, and request_not_kept.\n\n" +
    "It is a new invocation with an id of its own. Exit codes are those of invoke.",
  options,
  arguments: { id: { summary: "The id of the invocation" } },
  examples: [
    ["longshore replay 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001", "A dead letter, after a fix"],
    ["longshore replay 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001 --from https://broker.plant:4270", "What failed there, on the fleet here"],
    ["longshore replay 0197a7c6-5f3e-7b12-9c58-0d8a4be3f001 --body order.json", "One whose request was not kept, or with another body"],
  ],
  run: async ({ args, options: given }, context): Promise<ExitCode | void> => {
    const invocationId = parseName(invocationIdSchema, args.id, "ID");
    const chosen: CallOptions = { ...readPlace(given), ...(given.timeout !== undefined && { timeoutMs: parseDuration(given.timeout, "--timeout") }) };
    const replaced = given.header.map(splitHeader);
    const body = given.body === undefined ? undefined : await openFile(given.body, context);
    const recorded = await recordedAt(given, invocationId, context);
    if (recorded.head === undefined && body === undefined) {
      throw new LongshoreError("request_not_kept", `Cannot run ${invocationId} again: what its caller sent was not kept; give the body with --body FILE`, { field: "body" });
    }
    const name = given.function ?? recorded.functionName;
    const callOptions = optionsOf(recorded, replaced, chosen, given.async);
    const sent = body ?? recorded.body;
    if (!given.async) return callAndTell(name, sent, callOptions, { include: given.include }, context);
    const accepted = await context.fleet().enqueue(name, sent, callOptions);
    context.terminal.print(context.json ? inertJson({ invocationId: accepted.invocationId }) : accepted.invocationId);
  },
});

async function recordedAt({ from, fromKey }: { readonly from: string | undefined; readonly fromKey: string | undefined }, invocationId: string, { fleet, connect, connection }: Context): Promise<RecordedRequest> {
  if (from === undefined) return readRecordedRequest(fleet(), invocationId);
  const other = connect({ ...connection, url: from.includes("://") ? from : `http://${from}`, key: fromKey ?? connection.key });
  try {
    return await readRecordedRequest(other, invocationId);
  } finally {
    await other.close();
  }
}

async function openFile(path: string, { terminal }: Context): Promise<CallBody> {
  if (path === "-") return new Uint8Array(await new Response(terminal.input as unknown as BodyInit).arrayBuffer());
  try {
    return await openAsBlob(path);
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}: ${(cause as Error).message.replace(/^[A-Z]+: /, "")}`, "--body FILE names what is sent");
  }
}

/** Fields that are made anew for every call. */
const ofTheCall = new Set(["host", "content-length", "transfer-encoding", "connection", "expect"]);

function optionsOf({ head, where }: RecordedRequest, replaced: readonly (readonly [string, string])[], chosen: CallOptions, isAsync: boolean): CallOptions {
  const names = new Set(replaced.map(([name]) => name.toLowerCase()));
  const headers = [...(head?.headers ?? []).filter(([name]) => !names.has(name.toLowerCase()) && !ofTheCall.has(name.toLowerCase())), ...replaced];
  const isPlain = head === undefined || (head.method === "POST" && head.target === "/");
  if (isAsync && !isPlain) throw new UsageError(`Cannot run it again with --async: it was ${head.method} ${head.target}, and what is accepted is a plain POST`);
  return {
    ...(where !== "" && { where }),
    ...(!isPlain && { method: head.method, path: head.target }),
    ...(headers.length > 0 && { headers }),
    ...chosen,
  };
}
