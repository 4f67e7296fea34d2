import type { InvocationRecord, InvocationTrace, Outcome } from "@longshore/protocol";
import { type Hop, hopId } from "./hop-ids.ts";

/** A span, as far as our invocations need them; times in epoch milliseconds, with fractions. */
export interface Span {
  readonly name: string;
  readonly kind: "server" | "client" | "consumer" | "internal";
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string | undefined;
  readonly beginMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Why it counts as failed, if it does. */
  readonly error: string | undefined;
}

type Attributes = Span["attributes"];

/** Whether its caller waited, or it was accepted; and whose it is. */
export interface SpanContext {
  readonly tenantId: string;
  readonly isAccepted: boolean;
}

/**
 * The spans of an invocation, its own first. Those of what its agent did stand where they fit between the order and the answer: the agent told
 * how long each took, and its clock is not ours.
 */
export function spansOf(record: InvocationRecord, trace: InvocationTrace, context: SpanContext): Span[] {
  const beginMs = Date.parse(record.acceptedAt);
  const endMs = beginMs + (record.timings.totalMs ?? Math.max(0, Date.parse(record.finishedAt) - beginMs));
  const own: Span = {
    name: `invoke ${record.functionName}`,
    kind: context.isAccepted ? "consumer" : "server",
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentId: trace.parentId,
    beginMs,
    endMs,
    attributes: ownAttributes(record, context),
    error: errorOf(record.result),
  };
  return [own, ...pastSpans(record, trace), ...lastSpans(record, trace, own)];
}

/** Attempts that were followed by others. */
function pastSpans({ past = [] }: InvocationRecord, trace: InvocationTrace): Span[] {
  return past.map(({ attempt, siteId, agentId, sentAt, endedAt, result }) => {
    const endMs = Date.parse(endedAt);
    const beginMs = sentAt === undefined ? endMs : Date.parse(sentAt);
    return child(trace, "attempt", attempt, "client", [beginMs, endMs], { ...placed(siteId, agentId), "longshore.attempt": attempt, "longshore.outcome": result.outcome }, errorOf(result));
  });
}

/** The way to the attempt that ended it, and that attempt. */
function lastSpans(record: InvocationRecord, trace: InvocationTrace, own: Span): Span[] {
  const sentMs = sentAtMs(record, own);
  const lastEndMs = Date.parse(record.past?.at(-1)?.endedAt ?? record.acceptedAt);
  const waited = (untilMs: number) => child(trace, "placement", record.attempt, "internal", [Math.min(lastEndMs, untilMs), untilMs], {});
  if (sentMs === undefined) return [waited(own.endMs)];
  const attributes = { ...placed(record.siteId, record.agentId), "longshore.attempt": record.attempt };
  const sent = child(trace, "attempt", record.attempt, "client", [sentMs, own.endMs], attributes, own.error);
  return [waited(sentMs), sent, ...agentSpans(record, trace, sent)];
}

function sentAtMs({ sentAt, timings: { placementMs, startMs, runMs } }: InvocationRecord, own: Span): number | undefined {
  if (placementMs !== undefined) return own.beginMs + placementMs;
  if (sentAt !== undefined) return Math.min(Date.parse(sentAt), own.endMs);
  return runMs === undefined ? undefined : Math.max(own.beginMs, own.endMs - (startMs ?? 0) - runMs);
}

/** What the agent did of the attempt; what is left over is the way there and back. */
function agentSpans({ attempt, start, instanceId, timings: { startMs, runMs } }: InvocationRecord, trace: InvocationTrace, sent: Span): Span[] {
  const onTheWayMs = Math.max(0, sent.endMs - sent.beginMs - (startMs ?? 0) - (runMs ?? 0));
  // The answer of accepted work comes when it is on the agent's disk, or when agent and broker find each other again: that is no part of the way there.
  const beginMs = sent.beginMs + Math.min(onTheWayMs / 2, mostWayMs);
  const runMsAt = Math.min(sent.endMs, beginMs + (startMs ?? 0));
  const inside = { "longshore.start": start ?? "unknown", ...(instanceId !== undefined && { "longshore.instance": instanceId }) };
  const spans: Span[] = [];
  if (startMs !== undefined) spans.push(child(trace, "start", attempt, "internal", [beginMs, runMsAt], inside));
  if (runMs !== undefined) spans.push(child(trace, "run", attempt, "client", [runMsAt, Math.min(sent.endMs, runMsAt + runMs)], inside, sent.error));
  return spans;
}

/** Further than that no order is under way. */
const mostWayMs = 250;

function child(trace: InvocationTrace, hop: Hop, attempt: number, kind: Span["kind"], [beginMs, endMs]: [number, number], attributes: Attributes, error?: string): Span {
  const isInside = hop === "start" || hop === "run";
  const parentId = isInside ? hopId(trace, "attempt", attempt) : trace.spanId;
  return { name: hop, kind, traceId: trace.traceId, spanId: hopId(trace, hop, attempt), parentId, beginMs, endMs: Math.max(beginMs, endMs), attributes, error };
}

function placed(siteId: string | undefined, agentId: string | undefined): Attributes {
  return { ...(siteId !== undefined && { "longshore.site": siteId }), ...(agentId !== undefined && { "longshore.agent": agentId }) };
}

/** Names of the semantic conventions where there is one. */
function ownAttributes(record: InvocationRecord, { tenantId, isAccepted }: SpanContext): Attributes {
  const { result } = record;
  return {
    "faas.invoked_name": record.functionName,
    "faas.invocation_id": record.invocationId,
    ...(record.revisionId !== undefined && { "faas.version": record.revisionId }),
    ...(record.start !== undefined && { "faas.coldstart": record.start === "cold", "longshore.start": record.start }),
    ...(result.status !== undefined && { "http.response.status_code": result.status }),
    ...(result.exitCode !== undefined && { "process.exit.code": result.exitCode }),
    "longshore.tenant": tenantId,
    "longshore.mode": isAccepted ? "async" : "sync",
    "longshore.outcome": result.outcome,
    "longshore.attempts": record.attempt,
    ...placed(record.siteId, record.agentId),
    ...(record.redriveOf !== undefined && { "longshore.redrive_of": record.redriveOf }),
    ...(errorOf(result) !== undefined && { "error.type": result.error?.reason ?? result.outcome }),
  };
}

const fine: readonly Outcome[] = ["succeeded", "cancelled"];

function errorOf({ outcome, error, message }: InvocationRecord["result"]): string | undefined {
  return fine.includes(outcome) ? undefined : (message ?? error?.message ?? outcome);
}
