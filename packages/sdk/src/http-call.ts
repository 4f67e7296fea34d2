import { chunkBytes, headers as ours, type InvocationResult, invocationResultSchema, invocationViewSchema, LongshoreError, type StartKind, startKinds } from "@longshore/protocol";
import { type AnswerMeta, StreamedAnswer, WholeAnswer } from "./answer.ts";
import type { Answer, OutgoingCall, Transport } from "./call.ts";
import { ofInvocation } from "./error.ts";
import { errorOf, type HttpClient } from "./http-client.ts";
import { abandoned } from "./outgoing.ts";

const problemType = "application/problem+json";

/** Calls over HTTP, one request each: for where there is no WebSocket. */
export function createHttpTransport(client: HttpClient): Transport {
  return { call: (call) => callOverHttp(client, call) };
}

async function callOverHttp(client: HttpClient, call: OutgoingCall): Promise<Answer> {
  if (call.detach) throw new LongshoreError("bad_schema", "Cannot detach a call over HTTP: use the WebSocket transport", { field: "detach" });
  let response: Response;
  try {
    response = await client.fetch(pathOf(call), requestOf(client, call));
  } catch (error) {
    const { signal, functionName } = call;
    throw ofInvocation(signal?.aborted === true ? abandoned(functionName, signal) : LongshoreError.from(error, `Cannot call "${functionName}"`), call.invocationId);
  }
  const outcome = response.headers.get(ours.result);
  const isProblem = response.headers.get("content-type") === problemType;
  if (outcome === null && isProblem) throw ofInvocation(await errorOf(response), call.invocationId);
  const meta = metaOfResponse(response, call.invocationId);
  if (outcome === null) return new StreamedAnswer(meta, response.body ?? emptyBody(), () => resultOf(client, call.invocationId));
  return readWhole(response, meta, outcome, isProblem);
}

/** A plain call goes to the function's invocations, one that is HTTP-shaped to its URL. */
function pathOf({ functionName, method, path }: OutgoingCall): string {
  const name = encodeURIComponent(functionName);
  return method === "POST" && path === "/" ? `/v1/functions/${name}/invocations` : `/f/${name}${path}`;
}

function requestOf(client: HttpClient, call: OutgoingCall): RequestInit & { duplex?: "half" } {
  const headers = new Headers(client.authorization());
  for (const [name, value] of call.headers) headers.append(name, value);
  headers.set(ours.invocationId, call.invocationId);
  if (call.where !== undefined) headers.set(ours.where, call.where);
  if (call.timeoutMs !== undefined) headers.set(ours.deadlineMs, String(Math.ceil(call.timeoutMs)));
  const { body, method, signal } = call;
  const hasBody = method !== "GET" && method !== "HEAD" && !(body instanceof Uint8Array && body.length === 0);
  return {
    method,
    headers,
    redirect: "manual",
    ...(hasBody && { body: body as BodyInit, ...(!(body instanceof Uint8Array) && { duplex: "half" as const }) }),
    ...(signal !== undefined && { signal }),
  };
}

/** The outcome is known already; a short answer is read at once, a long one as its reader likes. */
async function readWhole(response: Response, meta: AnswerMeta, outcome: string, isProblem: boolean): Promise<Answer> {
  if (isProblem && outcome !== "succeeded") return new WholeAnswer({ ...meta, status: undefined }, new Uint8Array(0), resultOfProblem(await response.json()));
  const result = invocationResultSchema.parse({ outcome, status: meta.status });
  if (Number(response.headers.get("content-length") ?? chunkBytes + 1) > chunkBytes) return new StreamedAnswer(meta, response.body ?? emptyBody(), () => Promise.resolve(result));
  return new WholeAnswer(meta, new Uint8Array(await response.arrayBuffer()), result);
}

function resultOfProblem(document: unknown): InvocationResult {
  return invocationResultSchema.parse((document as { result?: unknown }).result);
}

/** Over HTTP the outcome of a streamed answer travels in a trailer, which `fetch` does not show: the record has it. */
async function resultOf(client: HttpClient, invocationId: string): Promise<InvocationResult> {
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    const view = invocationViewSchema.parse(await client.json({ method: "GET", path: `/v1/invocations/${encodeURIComponent(invocationId)}` }));
    if (view.state === "finished") return view.record.result;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

function metaOfResponse(response: Response, invocationId: string): AnswerMeta {
  const { headers } = response;
  const start = headers.get(ours.start);
  return {
    status: response.status,
    headers: [...headers].filter(([name]) => !name.startsWith("longshore-")),
    siteId: headers.get(ours.site) ?? undefined,
    agentId: headers.get(ours.agent) ?? undefined,
    start: startKinds.find((kind) => kind === start) satisfies StartKind | undefined,
    invocationId: headers.get(ours.invocationId) ?? invocationId,
  };
}

const emptyBody = () => new Blob([]).stream();
