import type { AnswerHead, InvocationRecord, InvocationResult, LongshoreError, Revision, TenantId } from "@longshore/protocol";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { InvocationRequest } from "./request.ts";

/** An invocation that is over, with all that is to be told of it. */
export interface Closing {
  readonly request: InvocationRequest;
  readonly revision: Revision | undefined;
  readonly agent: AgentEntry | undefined;
  /** Orders sent. */
  readonly attempt: number;
  readonly head: AnswerHead | undefined;
  readonly result: InvocationResult;
  /** Our own error, where there was no result. */
  readonly error: LongshoreError | undefined;
  /** It had been sent or had waited, so that it has a terminal record, which is this broker's to write. */
  readonly isRecorded: boolean;
  readonly acceptedAt: Date;
  readonly finishedAt: Date;
  readonly placementMs: number | undefined;
  readonly runMs: number | undefined;
  readonly totalMs: number;
  readonly payloadBytes: number;
  readonly resultBytes: number;
  /** The answer's body where it is kept. */
  readonly body: Uint8Array | undefined;
}

/** The result that an error of ours leaves: before execution the function had not begun; after it, nobody can say. */
export function resultOfError(error: LongshoreError): InvocationResult {
  if (error.reason === "caller_gone") return { outcome: "cancelled", message: error.message, error: error.toShape() };
  const outcome = error.phase === "execution" ? "lost" : "rejected";
  return { outcome, message: error.message, error: error.toShape() };
}

/** The terminal record of an invocation. */
export function recordOf(closing: Closing): InvocationRecord {
  const { request, revision, agent, head } = closing;
  return {
    invocationId: request.invocationId,
    functionName: request.functionName,
    ...(revision !== undefined && { revisionId: revision.revisionId }),
    ...(agent !== undefined && { siteId: agent.address.siteId, agentId: agent.address.agentId }),
    ...(head?.instanceId !== undefined && { instanceId: head.instanceId }),
    attempt: closing.attempt,
    ...(head?.start !== undefined && { start: head.start }),
    result: closing.result,
    acceptedAt: closing.acceptedAt.toISOString(),
    finishedAt: closing.finishedAt.toISOString(),
    timings: timingsOf(closing),
    payloadBytes: closing.payloadBytes,
    resultBytes: closing.resultBytes,
    resultKept: closing.body !== undefined,
    ...(head !== undefined && { resultHeaders: head.headers }),
    ...(request.trace !== undefined && { trace: request.trace }),
  };
}

function timingsOf({ placementMs, runMs, totalMs, head }: Closing): InvocationRecord["timings"] {
  return {
    ...(placementMs !== undefined && { placementMs: round(placementMs) }),
    ...(head?.startMs !== undefined && { startMs: round(head.startMs) }),
    ...(runMs !== undefined && { runMs: round(runMs) }),
    totalMs: round(totalMs),
  };
}

/** Microseconds are enough. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Everything of an invocation in one line of log; no payload, no header, no secret. */
export function closingLine(closing: Closing): Record<string, unknown> {
  const { request, revision, agent, head, result, error } = closing;
  return {
    invocationId: request.invocationId,
    tenantId: request.tenantId,
    functionName: request.functionName,
    revisionId: revision?.revisionId,
    siteId: agent?.address.siteId,
    agentId: agent?.address.agentId,
    instanceId: head?.instanceId,
    traceId: request.trace?.traceId,
    attempt: closing.attempt,
    outcome: result.outcome,
    status: head?.status,
    exitCode: result.exitCode,
    signal: result.signal,
    start: head?.start,
    ...timingsOf(closing),
    payloadBytes: closing.payloadBytes,
    resultBytes: closing.resultBytes,
    ...(error !== undefined && { err: error.reason === "unexpected" ? error : undefined, reason: error.reason, phase: error.phase, message: error.message }),
  };
}

/** The same of an accepted invocation, from its record. */
export function recordLine(tenantId: TenantId, record: InvocationRecord): Record<string, unknown> {
  const { result, timings, past, trace, resultHeaders: _headers, resultKept: _kept, acceptedAt: _accepted, finishedAt: _finished, ...rest } = record;
  const { outcome, status, exitCode, signal, error } = result;
  return { tenantId, ...rest, traceId: trace?.traceId, outcome, status, exitCode, signal, ...timings, pastAttempts: past?.length ?? 0, ...(error !== undefined && { reason: error.reason, phase: error.phase, message: error.message }) };
}
