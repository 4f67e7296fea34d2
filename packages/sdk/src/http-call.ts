import { chunkBytes, headers as ours, type InvocationResult, invocationResultSchema, invocationViewSchema, LongshoreError, startKinds } from "@longshore/protocol";
import { z } from "zod";
import { type AnswerMeta, isWholeAnswer, StreamedAnswer, WholeAnswer } from "./answer.ts";
import type { Answer, OutgoingCall, Transport } from "./call.ts";
import { ofInvocation } from "./error.ts";
import { brokenOff, errorOf, type HttpClient, isOfProxy } from "./http-client.ts";
import { requestOf, targetOf } from "./http-request.ts";
import { abandoned } from "./outgoing.ts";
import { readDocument } from "./read-document.ts";
import { pause } from "./timer.ts";

const problemType = "application/problem+json";
const nothing = new Uint8Array(0);

/** Calls over HTTP, one request each: for where there is no WebSocket. */
export function createHttpTransport(client: HttpClient): Transport {
  return {
    async call(call) {
      const { functionName, signal } = call;
      let invocationId = call.idempotencyKey === undefined ? call.invocationId : undefined;
      try {
        const response = await client.fetch(targetOf(call), requestOf(call, client.authorization()));
        invocationId = response.headers.get(ours.invocationId) ?? invocationId;
        return await readAnswer(client, response, call);
      } catch (error) {
        const told = signal?.aborted === true ? abandoned(functionName, signal) : LongshoreError.from(error, `Cannot call "${functionName}"`);
        throw invocationId === undefined ? told : ofInvocation(told, invocationId);
      }
    },
  };
}

async function readAnswer(client: HttpClient, response: Response, call: OutgoingCall): Promise<Answer> {
  const outcome = response.headers.get(ours.result);
  const isProblem = response.headers.get("content-type") === problemType;
  const meta = metaOfResponse(response, call.invocationId);
  if (outcome === null && meta.agentId === undefined && (isProblem || isOfProxy(response))) throw await errorOf(response); // A function's own answer comes from an agent.
  if (outcome === null) return new StreamedAnswer(meta, bodyOf(response, call.signal, meta), () => resultOf(client, meta));
  const result = readDocument(invocationResultSchema, { outcome, status: meta.status }, targetOf(call));
  const isShort = Number(response.headers.get("content-length") ?? Infinity) <= chunkBytes;
  if (!isShort) return new StreamedAnswer(meta, bodyOf(response, call.signal, meta), () => Promise.resolve(result));
  return wholeAnswer(meta, result, isProblem, await readBytes(response, call));
}

/** A function that was not heard out has no answer of its own: the broker tells of its end in a problem. */
function wholeAnswer(meta: AnswerMeta, result: InvocationResult, isProblem: boolean, bytes: Uint8Array): Answer {
  if (result.outcome === "succeeded") return new WholeAnswer(meta, bytes, result);
  const told = isProblem ? resultInProblem(bytes) : undefined;
  if (told !== undefined) return new WholeAnswer({ ...meta, status: undefined, headers: [] }, nothing, told);
  if (isWholeAnswer(result)) return new WholeAnswer(meta, bytes, result);
  return new WholeAnswer({ ...meta, status: undefined }, nothing, { outcome: result.outcome }); // The answer to a HEAD.
}

const resultProblem = z.object({ type: z.string().startsWith("urn:longshore:result:"), result: invocationResultSchema });

function resultInProblem(bytes: Uint8Array): InvocationResult | undefined {
  try {
    return resultProblem.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data?.result;
  } catch {
    return undefined;
  }
}

/** Over HTTP the outcome of a streamed answer travels in a trailer, which `fetch` does not show: the record has it. */
async function resultOf(client: HttpClient, { invocationId }: AnswerMeta): Promise<InvocationResult> {
  const path = `/v1/invocations/${encodeURIComponent(invocationId)}`;
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    const view = readDocument(invocationViewSchema, await client.json({ method: "GET", path }), path);
    if (view.state === "finished") return view.record.result;
    await pause(waitMs);
  }
}

async function readBytes(response: Response, { signal }: OutgoingCall): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw brokenOff(cause, signal);
  }
}

/** The body as it comes; a LongshoreError where it breaks off. */
function bodyOf(response: Response, signal: AbortSignal | undefined, { invocationId }: AnswerMeta): ReadableStream<Uint8Array> {
  const reader = (response.body ?? new Blob([]).stream()).getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          controller.error(ofInvocation(brokenOff(cause, signal), invocationId));
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

function metaOfResponse(response: Response, invocationId: string): AnswerMeta {
  const { headers, status } = response;
  const start = headers.get(ours.start);
  return {
    status,
    headers: [...headers].filter(([name]) => !name.startsWith("longshore-")),
    siteId: headers.get(ours.site) ?? undefined,
    agentId: headers.get(ours.agent) ?? undefined,
    start: startKinds.find((kind) => kind === start),
    invocationId: headers.get(ours.invocationId) ?? invocationId,
  };
}
