import { type AnswerHead, headers, type InvocationId, type InvocationRecord, type InvokeQuery, invokeQuerySchema, LongshoreError, parseInput, type TenantId } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import { passFailpoint } from "../failpoint.ts";
import { underKey } from "../queue/idempotency-key.ts";
import type { Queue } from "../queue/queue.ts";
import { shownView } from "../queue/queue-view.ts";
import { startOf } from "../queue/start-time.ts";
import type { Accepted, Submission, SubmissionTerms } from "../queue/submissions.ts";
import { isWholeAnswer, statusOfResult } from "./answer-status.ts";
import { InvocationFront } from "./invocation-front.ts";
import { type InvocationHead, readInvocationHead } from "./invocation-request.ts";
import type { HttpLimits } from "./limits.ts";
import { readPayload } from "./payload-intake.ts";
import { readNumber } from "./query.ts";
import type { Destination } from "./router.ts";
import { drained } from "./stored-body-answer.ts";

/** What accepts work. */
export type Acceptor = Pick<Queue, "receive" | "accept" | "answer" | "answerOf">;

/** How an invocation is to be taken; throws `bad_schema` naming the parameter. */
export function readInvokeQuery(query: URLSearchParams): InvokeQuery {
  const given = Object.fromEntries([...query].map(([name, value]) => [name, name === "delayMs" || name === "maxAgeMs" ? readNumber(value) : value]));
  const read = parseInput(invokeQuerySchema, given, "query");
  for (const field of ["notBefore", "delayMs", "maxAgeMs"] as const) {
    if (read.mode === "sync" && read[field] !== undefined) throw new LongshoreError("bad_schema", `Cannot read ${field}: it is for mode=async`, { phase: "admission", field });
  }
  return read;
}

/** `?mode=async`: 202 once it is on disk. */
export async function submitOverHttp(acceptor: Acceptor, limits: HttpLimits, incoming: IncomingMessage, response: ServerResponse, destination: Destination, tenantId: TenantId, query: InvokeQuery): Promise<void> {
  const head = readInvocationHead(incoming, destination, tenantId, limits);
  const terms = { ...termsOf(head), notBeforeMs: startOf(query, Date.now()), maxAgeMs: query.maxAgeMs };
  const submission: Submission = { ...terms, body: await readPayload(incoming, response, limits, () => acceptor.receive(terms)) };
  const { isNew, view } = await submit(head, response, () => acceptor.accept(submission));
  const body = Buffer.from(`${JSON.stringify(shownView(view))}\n`);
  response.writeHead(202, {
    "Content-Type": "application/json",
    "Content-Length": body.length,
    Location: `/v1/invocations/${head.invocationId}`,
    "Longshore-Invocation-Id": head.invocationId,
    ...(!isNew && { "Longshore-Replayed": "true" }),
  });
  response.end(body, () => passFailpoint("after_202"));
}

/** A call with an idempotency key: it runs once, whoever asks how often, and each caller waits for the one answer. */
export async function invokeOnce(acceptor: Acceptor, limits: HttpLimits, incoming: IncomingMessage, response: ServerResponse, destination: Destination, tenantId: TenantId): Promise<void> {
  const head = readInvocationHead(incoming, destination, tenantId, limits);
  const submission: Submission = { ...termsOf(head), body: await readPayload(incoming, response, limits, () => acceptor.receive(termsOf(head))) };
  const front = new InvocationFront(incoming, response, head.invocationId);
  const { isNew, view } = await submit(head, response, () => acceptor.answer(submission));
  if (!isNew) response.setHeader("Longshore-Replayed", "true");
  if ("record" in view) return answer(front, response, view.record, acceptor.answerOf(tenantId, view));
  front.fail(new LongshoreError("still_running", `Cannot answer yet: invocation ${head.invocationId} has not ended; call again with the same key, or ask for its result`, { phase: "execution", retryAfterMs: 1_000 }));
}

function termsOf({ invocationId, tenantId, functionName, where, timeoutMs, request, viaUrl }: InvocationHead): SubmissionTerms {
  return { invocationId, tenantId, functionName, where, timeoutMs, request, viaUrl };
}

/** Under a key the id that it stands for is told whatever becomes of it. */
function submit({ idempotencyKey, invocationId, functionName }: InvocationHead, response: ServerResponse, take: () => Promise<Accepted>): Promise<Accepted> {
  if (idempotencyKey === undefined) return take();
  response.setHeader(headers.invocationId, invocationId);
  return underKey({ field: "Idempotency-Key", invocationId, action: `invoke "${functionName}"` }, take);
}

async function answer(front: InvocationFront, response: ServerResponse, record: InvocationRecord, body: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
  if (!record.resultKept) return front.fail(tooLarge(record.invocationId as InvocationId, record.resultBytes));
  const { siteId, agentId, revisionId, start, result } = record;
  const head: AnswerHead = { complete: true, headers: record.resultHeaders ?? [], result, siteId, agentId, revisionId, start };
  if (body instanceof Uint8Array || !isWholeAnswer(result)) return front.complete(head, body instanceof Uint8Array ? body : new Uint8Array(0));
  front.head({ ...head, complete: false, status: statusOfResult(result) });
  try {
    for await (const part of body) {
      front.data(part);
      if (response.writableNeedDrain) await drained(response);
      if (response.destroyed) return;
    }
    front.end({ result });
  } catch (error) {
    front.fail(LongshoreError.from(error, "Cannot read the answer"));
  }
}

function tooLarge(invocationId: InvocationId, bytes: number): LongshoreError {
  return new LongshoreError("result_not_kept", `Cannot give the answer of invocation ${invocationId}: its ${bytes} bytes were not kept for its Idempotency-Key`, { phase: "execution" });
}
