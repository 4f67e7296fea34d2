import { type AnswerHead, type FunctionView, type InvocationId, type InvocationResult, LongshoreError, type TenantId } from "@longshore/protocol";
import type { ServerResponse } from "node:http";
import { isWholeAnswer } from "../http/answer-status.ts";
import type { BrokerParts } from "../http/handler.ts";
import type { AnswerFront, InvocationHandle, Invoker } from "../invocation/request.ts";
import { CollectingFront } from "./collecting-front.ts";
import { EventFeed } from "./event-feed.ts";
import { eventStreamType, invokeComplete } from "./event-stream.ts";
import { type FunctionError, functionErrorOf, isFunctions } from "./function-error.ts";
import type { InvokeOptions } from "./invoke-options.ts";
import { readLogTail } from "./log-tail.ts";
import { payloadMaxBytes } from "./read-event.ts";
import { StreamingFront } from "./streaming-front.ts";

/** What a call needs of the broker. */
export interface CallParts {
  readonly parts: Pick<BrokerParts, "functions" | "logs">;
  readonly invoker: Invoker;
}

/** An invocation that one of AWS's clients asked for: everything checked, nothing begun. */
export interface Call {
  readonly invocationId: InvocationId;
  readonly tenantId: TenantId;
  readonly view: FunctionView;
  readonly options: InvokeOptions;
  readonly event: Uint8Array;
  /** Aborted when the caller is gone. */
  readonly signal: AbortSignal;
}

/** How a run ended. */
interface RunEnd {
  readonly head: AnswerHead;
  readonly result: InvocationResult;
  readonly runMs: number | undefined;
}

const nowhere: AnswerHead = { complete: false, headers: [] };

/** Invokes, and answers with the whole payload: also that of a failure, with status 200 and `X-Amz-Function-Error`. */
export async function invokeCollected(broker: CallParts, response: ServerResponse, call: Call): Promise<void> {
  const front = new CollectingFront(new EventFeed(call.event), payloadMaxBytes);
  begin(broker, call, front);
  const { body, ...end } = await front.answer.catch((error: unknown) => ({ ...startFailure(error), body: new Uint8Array(0) }));
  const error = body === undefined ? tooLarge : errorOf(end, call);
  const isOwn = body !== undefined && isWholeAnswer(end.result); // What the function itself said of its failure is the payload.
  const payload = isOwn || error === undefined ? (body ?? new Uint8Array(0)) : Buffer.from(JSON.stringify(error));
  response.setHeader("X-Amz-Executed-Version", executedVersion(broker, call, end.head));
  if (error !== undefined) response.setHeader("X-Amz-Function-Error", "Unhandled");
  if (call.options.wantsLog) response.setHeader("X-Amz-Log-Result", await logTail(broker, call, end));
  const contentType = isOwn ? end.head.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] : undefined;
  response.writeHead(200, { "Content-Type": contentType ?? "application/json", "Content-Length": payload.length });
  response.end(payload);
}

/** Invokes, and answers with an event for each part as it is made, and a last one that tells how it ended. */
export async function invokeStreamed(broker: CallParts, response: ServerResponse, call: Call): Promise<void> {
  const front = new StreamingFront(new EventFeed(call.event), response);
  response.setHeader("X-Amz-Executed-Version", String(call.view.revision));
  begin(broker, call, front);
  const end = await front.ended.catch(startFailure);
  const error = errorOf(end, call);
  const log = call.options.wantsLog ? await logTail(broker, call, end) : undefined;
  if (!response.headersSent) response.writeHead(200, { "Content-Type": eventStreamType });
  response.end(invokeComplete({ ...(error !== undefined && { ErrorCode: error.errorType, ErrorDetails: JSON.stringify(error) }), ...(log !== undefined && { LogResult: log }) }));
}

function begin({ invoker }: CallParts, call: Call, front: AnswerFront & { begin(handle: InvocationHandle): void; readonly opening: EventFeed["opening"] }): void {
  const { invocationId, tenantId, view, options, signal } = call;
  const request = { method: "POST", target: "/", headers: options.headers };
  const handle = invoker.invoke({ invocationId, tenantId, functionName: view.name, where: options.where, timeoutMs: undefined, detach: false, request, upgrade: false, ...front.opening }, front);
  signal.addEventListener("abort", () => handle.cancel("abandoned"), { once: true });
  front.begin(handle);
}

/** An instance that could not begin is the function's failure, as AWS tells it; everything else is ours and is thrown on. */
function startFailure(thrown: unknown): RunEnd {
  if (!(thrown instanceof LongshoreError) || thrown.reason !== "instance_start_failed") throw thrown;
  return { head: nowhere, result: { outcome: "failed", message: thrown.message }, runMs: undefined };
}

const tooLarge: FunctionError = { errorType: "Function.ResponseSizeTooLarge", errorMessage: `Response payload size exceeded maximum allowed payload size (${payloadMaxBytes} bytes).` };

/** What is told of a run that did not succeed; throws where there is no result of the function's. */
function errorOf({ result }: RunEnd, { invocationId, view }: Call): FunctionError | undefined {
  if (result.outcome === "succeeded") return undefined;
  if (isFunctions(result)) return functionErrorOf(result, { invocationId, timeoutMs: view.timeoutMs });
  if (result.error !== undefined) throw LongshoreError.fromShape(result.error);
  throw new LongshoreError("unexpected", `The invocation was ${result.outcome}${result.message === undefined ? "" : `: ${result.message}`}`);
}

function logTail({ parts }: CallParts, { tenantId, invocationId, view, signal }: Call, { head, runMs }: RunEnd): Promise<string> {
  const { name: functionName, revision, memoryBytes } = view;
  return readLogTail(parts.logs, { tenantId, invocationId, functionName, agentId: head.agentId, revision, memoryBytes, runMs }, signal);
}

/** The revision that ran: a deploy may have come between. */
function executedVersion({ parts }: CallParts, { tenantId, view }: Call, { revisionId }: AnswerHead): string {
  if (revisionId === undefined || revisionId === view.revisionId) return String(view.revision);
  return String(parts.functions.revisions(tenantId, view.name).find((other) => other.revisionId === revisionId)?.revision ?? view.revision);
}
