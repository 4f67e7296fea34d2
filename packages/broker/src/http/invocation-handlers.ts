import { functionNameSchema, type InvocationId, invocationIdSchema, invocationQuerySchema, LongshoreError, parseInput, parseName } from "@longshore/protocol";
import type { LogQuery } from "../logs/log-query.ts";
import type { Handler, HandlerContext } from "./handler.ts";
import { readLogFilter } from "./log-filter.ts";
import { readNumber } from "./query.ts";
import { answerBody } from "./stored-body-answer.ts";
import { abortOnClose, LineAnswer } from "./ndjson.ts";

/** Another spelling than ours names nothing: the same answer as for an unknown id. */
function idOf({ parameters }: HandlerContext): InvocationId {
  const parsed = invocationIdSchema.safeParse(parameters["id"]);
  if (parsed.success) return parsed.data;
  throw new LongshoreError("invocation_not_found", "Cannot find invocation: no such id is known here", { phase: "admission", field: "id" });
}

/** How long the caller waits for the end. */
function readWait(query: URLSearchParams): number {
  const waitMs = query.get("waitMs");
  return parseInput(invocationQuerySchema, { ...Object.fromEntries(query), ...(waitMs !== null && { waitMs: readNumber(waitMs) }) }, "query").waitMs;
}

/** Invocations by id, and logs. */
export const invocationHandlers = {
  getInvocation: (context) => context.parts.invocations.view(context.tenantId, idOf(context), readWait(context.query)),
  async cancelInvocation(context) {
    await context.parts.invocations.cancel(context.tenantId, idOf(context));
    context.response.writeHead(202, { "Content-Length": 0 }).end();
  },
  async getResult(context) {
    const { record, body } = await context.parts.invocations.result(context.tenantId, idOf(context));
    const type = record.resultHeaders?.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "application/octet-stream";
    const headers = { "Content-Type": type, "Longshore-Invocation-Id": record.invocationId, "Longshore-Result": record.result.outcome };
    await answerBody(context.response, headers, body, body instanceof Uint8Array ? body.length : record.resultBytes);
  },
  functionLogs: (context) => streamLogs(context, { functionName: parseName(functionNameSchema, context.parameters["fn"], "function") }),
  invocationLogs: (context) => streamLogs(context, { invocationId: idOf(context) }),
} satisfies Record<string, Handler>;

async function streamLogs(context: HandlerContext, what: Pick<LogQuery, "functionName" | "invocationId">): Promise<void> {
  const query = { ...what, ...readLogFilter(context.query) };
  const signal = abortOnClose(context.response);
  const lines = await context.parts.logs.open(context.tenantId, query, signal);
  const answer = new LineAnswer(context.response);
  await answer.pipe(lines, signal);
  answer.end();
}
