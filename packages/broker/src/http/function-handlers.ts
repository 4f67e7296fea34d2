import { functionNameSchema, LongshoreError, parseName } from "@longshore/protocol";
import type { DeployProgress, Handler, HandlerContext } from "./handler.ts";
import { abortOnClose, LineAnswer } from "./ndjson.ts";
import { readPageQuery } from "./page-query.ts";
import { callerError, sendJson } from "./problem.ts";
import { readFlag } from "./query.ts";

const nameOf = ({ parameters }: HandlerContext) => parseName(functionNameSchema, parameters["fn"], "function");

/** Functions: deploy, read, list, remove. */
export const functionHandlers = {
  async putFunction(context) {
    const document = named(await context.document(), nameOf(context));
    if (context.request.headers.accept?.includes("application/x-ndjson") === true) return deployInLines(context, document);
    const answer = await deploy(context, document, () => undefined);
    sendJson(context.response, answer.created ? 201 : 200, answer);
    return undefined;
  },
  getFunction: (context) => context.parts.functions.view(context.tenantId, nameOf(context)),
  async deleteFunction(context) {
    await context.parts.functions.remove(context.tenantId, nameOf(context));
    context.response.writeHead(204).end();
  },
  listFunctions: ({ parts, tenantId, query }) => parts.functions.page(tenantId, readPageQuery(query)),
  listRevisions: (context) => ({ revisions: context.parts.functions.revisions(context.tenantId, nameOf(context)) }),
} satisfies Record<string, Handler>;

/** The name in the path is the function's; one in the document may only repeat it. */
function named(document: unknown, name: string): unknown {
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw new LongshoreError("bad_schema", "Cannot read function: expected a JSON object", { phase: "admission", field: "body" });
  }
  const given = (document as { name?: unknown }).name;
  if (given !== undefined && given !== name) throw new LongshoreError("bad_name", `Cannot deploy: the document names ${JSON.stringify(given).slice(0, 64)} and the path "${name}"`, { phase: "admission", field: "name" });
  return { ...document, name };
}

function deploy(context: HandlerContext, document: unknown, onProgress: (progress: DeployProgress) => void) {
  return context.parts.functions.deploy(context.tenantId, document, { local: readFlag(context.query, "local"), onProgress, signal: abortOnClose(context.response) });
}

/** Progress as it happens, then the answer or the error, each a line. */
async function deployInLines(context: HandlerContext, document: unknown): Promise<undefined> {
  const lines = new LineAnswer(context.response);
  try {
    lines.line({ answer: await deploy(context, document, (progress) => lines.line({ progress })) });
  } catch (thrown) {
    lines.line({ error: callerError(thrown).toShape() });
  }
  lines.end();
  return undefined;
}
