import { functionNameSchema, invocationIdSchema, LongshoreError, parseName } from "@longshore/protocol";
import type { Handler, HandlerContext, LogQuery } from "./handler.ts";
import { abortOnClose, LineAnswer } from "./ndjson.ts";
import { readFlag } from "./query.ts";

/** Another spelling than ours names nothing: the same answer as for an unknown id. */
function idOf({ parameters }: HandlerContext): string {
  const parsed = invocationIdSchema.safeParse(parameters["id"]);
  if (parsed.success) return parsed.data;
  throw new LongshoreError("invocation_not_found", "Cannot find invocation: no such id is known here", { phase: "admission", field: "id" });
}

/** Invocations by id, and logs. */
export const invocationHandlers = {
  getInvocation: (context) => context.parts.invocations.view(context.tenantId, idOf(context)),
  async cancelInvocation(context) {
    await context.parts.invocations.cancel(context.tenantId, idOf(context));
    context.response.writeHead(202, { "Content-Length": 0 }).end();
  },
  async getResult(context) {
    const { record, body } = await context.parts.invocations.result(context.tenantId, idOf(context));
    const type = record.resultHeaders?.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "application/octet-stream";
    context.response.writeHead(200, { "Content-Type": type, "Content-Length": body.length, "Longshore-Invocation-Id": record.invocationId, "Longshore-Result": record.result.outcome });
    context.response.end(body);
  },
  functionLogs: (context) => streamLogs(context, { functionName: parseName(functionNameSchema, context.parameters["fn"], "function") }),
  invocationLogs: (context) => streamLogs(context, { invocationId: idOf(context) }),
} satisfies Record<string, Handler>;

async function streamLogs(context: HandlerContext, what: Pick<LogQuery, "functionName" | "invocationId">): Promise<void> {
  const query = { ...what, tail: readTail(context.query.get("tail")), follow: readFlag(context.query, "follow") };
  if (what.functionName !== undefined) context.parts.functions.view(context.tenantId, what.functionName); // Throws when there is none.
  const signal = abortOnClose(context.response);
  const answer = new LineAnswer(context.response);
  await answer.pipe(context.parts.logs.lines(context.tenantId, query, signal), signal);
  answer.end();
}

function readTail(text: string | null): number {
  if (text === null) return 100;
  if (/^\d{1,5}$/.test(text) && Number(text) <= 10_000) return Number(text);
  throw new LongshoreError("bad_schema", "Cannot read tail: expected a whole number up to 10000", { phase: "admission", field: "tail" });
}

