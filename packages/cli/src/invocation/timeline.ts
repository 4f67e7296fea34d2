import type { InvocationRecord, InvocationView, PastAttempt, PendingInvocation, StartKind } from "@longshore/protocol";

/** A part of an invocation's time; milliseconds since it was accepted. */
export interface Span {
  /** `placement` is told of calls, `backlog`, `backoff` and `attempt` of accepted work; the last of one that goes on is `waiting` or `running`. */
  readonly kind: "placement" | "backlog" | "backoff" | "attempt" | "start" | "run" | "reply" | "waiting" | "running";
  readonly fromMs: number;
  readonly untilMs: number;
  /** For people; it may hold text from elsewhere. */
  readonly note: string;
}

/** One invocation's time, from when it was accepted; spans in order, without overlap. */
export interface Timeline {
  readonly totalMs: number;
  readonly isOver: boolean;
  readonly spans: readonly Span[];
}

const startNotes: Readonly<Record<StartKind, string>> = { warm: "warm: an instance was ready", held: "held: its program began in a container that waited", cold: "cold: its container was made first" };

/** The time of an invocation as far as its view tells; of one that goes on until `nowMs` (epoch milliseconds). */
export function timelineOf(view: InvocationView, nowMs: number): Timeline {
  return view.state === "finished" ? timelineOfRecord(view.record) : timelineOfPending(view, nowMs);
}

function timelineOfRecord(record: InvocationRecord): Timeline {
  const totalMs = Math.max(0, record.timings.totalMs ?? Date.parse(record.finishedAt) - Date.parse(record.acceptedAt)) || 0;
  const past = pastSpans(record.acceptedAt, record.past, totalMs);
  return { totalMs, isOver: true, spans: [...past, ...lastSpans(record, past.at(-1)?.untilMs ?? 0, totalMs)] };
}

/** The attempt that ended it, and the wait before it. Where the parts add up to more than the whole (clocks differ), the first ones give way. */
function lastSpans({ acceptedAt, sentAt, timings: { placementMs, startMs = 0, runMs = 0 }, start, past }: InvocationRecord, afterMs: number, totalMs: number): readonly Span[] {
  const sentMs = sentAt === undefined ? undefined : Date.parse(sentAt) - Date.parse(acceptedAt) - afterMs || 0;
  const waitMs = placementMs ?? sentMs ?? totalMs - afterMs - startMs - runMs;
  const kind = placementMs !== undefined ? "placement" : past === undefined ? "backlog" : "backoff";
  const parts = [
    { kind, ms: waitMs, note: "" },
    { kind: "start", ms: startMs, note: start === undefined ? "" : startNotes[start] },
    { kind: "run", ms: runMs, note: "" },
    { kind: "reply", ms: totalMs - afterMs - waitMs - startMs - runMs, note: "" },
  ] as const;
  let atMs = afterMs;
  return parts.flatMap(({ kind: part, ms, note }) => {
    const fromMs = atMs;
    atMs = Math.min(totalMs, fromMs + Math.max(0, ms));
    return atMs > fromMs || note !== "" ? [{ kind: part, fromMs, untilMs: atMs, note }] : [];
  });
}

function timelineOfPending(view: PendingInvocation, nowMs: number): Timeline {
  const totalMs = Math.max(0, nowMs - Date.parse(view.acceptedAt)) || 0;
  const past = pastSpans(view.acceptedAt, view.past, totalMs);
  const where = view.agentId === undefined ? "" : `at ${view.siteId}/${view.agentId}`;
  const note = [view.cancelRequested === true ? "to be cancelled" : "", view.state === "running" ? where : view.notBefore === undefined ? "" : `not before ${view.notBefore}`].filter((part) => part !== "").join(", ");
  return { totalMs, isOver: false, spans: [...past, { kind: view.state, fromMs: past.at(-1)?.untilMs ?? 0, untilMs: totalMs, note }] };
}

/** Attempts that were followed by another; one of which an older broker did not write when it was sent is from the end of what was before it, its wait included. */
function pastSpans(acceptedAt: string, past: readonly PastAttempt[] = [], totalMs: number): readonly Span[] {
  let atMs = 0;
  const sinceMs = (time: string) => Date.parse(time) - Date.parse(acceptedAt) || 0;
  return past.flatMap(({ attempt, siteId, agentId, sentAt, endedAt, result }, index): Span[] => {
    const fromMs = atMs;
    const sentMs = sentAt === undefined ? fromMs : Math.min(totalMs, Math.max(fromMs, sinceMs(sentAt)));
    atMs = Math.min(totalMs, Math.max(sentMs, sinceMs(endedAt)));
    const why = result.message ?? result.error?.message;
    const waited: Span[] = sentMs > fromMs ? [{ kind: index === 0 ? "backlog" : "backoff", fromMs, untilMs: sentMs, note: "" }] : [];
    return [...waited, { kind: "attempt", fromMs: sentMs, untilMs: atMs, note: `attempt ${attempt} ${result.outcome} at ${siteId}/${agentId}${why === undefined ? "" : `: ${why}`}` }];
  });
}
