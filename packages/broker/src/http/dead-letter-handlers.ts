import { deadLetterPageQuerySchema, functionNameSchema, type InvocationId, invocationIdSchema, invocationPageQuerySchema, LongshoreError, parseInput, parseName } from "@longshore/protocol";
import type { Handler, HandlerContext } from "./handler.ts";
import { readNumber } from "./query.ts";
import { answerBody } from "./stored-body-answer.ts";

/** Another spelling than ours names nothing. */
function idOf({ parameters }: HandlerContext): InvocationId {
  const parsed = invocationIdSchema.safeParse(parameters["id"]);
  if (parsed.success) return parsed.data;
  throw new LongshoreError("dead_letter_not_found", "Cannot find dead letter: no such id is known here", { phase: "admission", field: "id" });
}

function given(query: URLSearchParams): Record<string, unknown> {
  return Object.fromEntries([...query].map(([name, value]) => [name, name === "limit" || name === "after" ? readNumber(value) : value]));
}

/** Listings of accepted invocations, and what is done about those that did not succeed. */
export const deadLetterHandlers = {
  getQueue: ({ parts, tenantId }) => parts.queue.survey(tenantId),
  listInvocations: ({ parts, tenantId, query }) => parts.queue.list(tenantId, parseInput(invocationPageQuerySchema, given(query), "query")),
  listDeadLetters: ({ parts, tenantId, query }) => parts.deadLetters.list(tenantId, parseInput(deadLetterPageQuerySchema, given(query), "query")),
  getDeadLetter: async (context) => (await context.parts.deadLetters.get(context.tenantId, idOf(context))).letter,
  async getDeadLetterBody(context) {
    const { body, byteLength } = await context.parts.deadLetters.get(context.tenantId, idOf(context));
    await answerBody(context.response, { "Content-Type": "application/octet-stream" }, body, byteLength);
  },
  async redriveDeadLetter(context) {
    const view = await context.parts.deadLetters.redrive(context.tenantId, idOf(context));
    return "record" in view ? { state: view.state, record: view.record } : view;
  },
  redriveDeadLetters: (context) => context.parts.deadLetters.redriveAll(context.tenantId, parseName(functionNameSchema, context.parameters["fn"], "function")),
  async deleteDeadLetter(context) {
    await context.parts.deadLetters.remove(context.tenantId, idOf(context));
    context.response.writeHead(204).end();
  },
} satisfies Record<string, Handler>;
