import type { DeadLetter, InvocationRecord, InvocationView, PendingInvocation } from "@longshore/protocol";
import { inert } from "../terminal/inert.ts";
import { formatBytes, formatDuration } from "../terminal/quantity.ts";
import type { Style } from "../terminal/style.ts";
import { drawTimeline } from "./draw-timeline.ts";
import { paintOutcome } from "./outcome-style.ts";
import { describeResult } from "./tell.ts";
import type { Timeline } from "./timeline.ts";

/** All that is known of one invocation. */
export interface Trace {
  readonly view: InvocationView;
  readonly timeline: Timeline;
  /** How it was called, where that was kept. */
  readonly request: DeadLetter["request"] | undefined;
}

export interface TraceLayout {
  readonly columns: number;
  readonly style: Style;
}

/** A trace as lines: what and when, where it ran, its time with bars to scale, why it did not succeed, and the heads that were kept. */
export function describeTrace({ view, timeline, request }: Trace, { columns, style }: TraceLayout): readonly string[] {
  const facts = view.state === "finished" ? factsOfRecord(view.record) : factsOfPending(view);
  const failure = [...pastLines(view), ...(view.state === "finished" ? describeResult(view.record.functionName, view.record.result) : [])];
  const heads = [
    ...(request === undefined ? [] : headLines("request", `${request.method} ${request.target}`, request.headers)),
    ...(view.state === "finished" && view.record.resultHeaders !== undefined ? headLines("answer", statusOf(view.record), view.record.resultHeaders) : []),
  ];
  return [
    titleOf(view, timeline, style),
    ...facts.flatMap(([name, value]) => (value === undefined ? [] : [`${style.dim(name.padEnd(10))} ${inert(value)}`])),
    "",
    ...drawTimeline(timeline, columns, style),
    ...(failure.length === 0 ? [] : ["", ...failure]),
    ...(heads.length === 0 ? [] : ["", ...heads.map(([name, value]) => `${style.dim(name.padEnd(10))} ${inert(value)}`)]),
  ];
}

function titleOf(view: InvocationView, { totalMs }: Timeline, style: Style): string {
  const { functionName, invocationId } = view.state === "finished" ? view.record : view;
  const title = `${style.bold(inert(functionName))} ${inert(invocationId)}`;
  if (view.state !== "finished") return `${title} ${style.yellow(view.state)} for ${formatDuration(totalMs)}`;
  const { outcome } = view.record.result;
  return `${title} ${paintOutcome(outcome, outcome, style)} after ${formatDuration(totalMs)}`;
}

/** Why each attempt that was followed by another had ended. */
function pastLines(view: InvocationView): readonly string[] {
  const { functionName, past = [] } = view.state === "finished" ? view.record : view;
  return past.flatMap(({ attempt, siteId, agentId, endedAt, result }) => [inert(`attempt ${attempt} at ${siteId}/${agentId}, ended ${endedAt}`), ...describeResult(functionName, result).map((line) => `  ${line}`)]);
}

type Facts = readonly (readonly [name: string, value: string | undefined])[];

function factsOfRecord(record: InvocationRecord): Facts {
  const { siteId, agentId, instanceId, revisionId, attempt, past } = record;
  const where = agentId === undefined ? undefined : [`${siteId}/${agentId}`, ...(instanceId === undefined ? [] : [`instance ${instanceId}`])].join(", ");
  return [
    ["accepted", record.acceptedAt],
    ["finished", record.finishedAt],
    ["revision", revisionId],
    ["ran at", where],
    ["attempt", past === undefined && attempt === 1 ? undefined : `${attempt}${past === undefined ? "" : ` after ${past.length} that ended otherwise`}`],
    ["bytes", `${formatBytes(record.payloadBytes)} in, ${formatBytes(record.resultBytes)} out${record.resultKept ? "" : " (body not kept)"}`],
    ["again from", record.redriveOf],
    ["trace", record.trace === undefined ? undefined : `${record.trace.traceId}${record.trace.isSampled ? "" : " (not recorded)"}`],
  ];
}

function factsOfPending(view: PendingInvocation): Facts {
  return [
    ["accepted", view.acceptedAt],
    ["attempt", view.attempt === undefined ? undefined : String(view.attempt)],
    ["begins", view.notBefore === undefined ? undefined : `not before ${view.notBefore}`],
    ["expires", view.expiresAt],
  ];
}

function statusOf({ result: { status } }: InvocationRecord): string {
  return status === undefined ? "" : `HTTP ${status}`;
}

function headLines(name: string, first: string, headers: readonly (readonly [name: string, value: string])[]): readonly (readonly [name: string, value: string])[] {
  const lines = [...(first === "" ? [] : [first]), ...headers.map((header) => header.join(": "))];
  return lines.map((line, at) => [at === 0 ? name : "", line]);
}
