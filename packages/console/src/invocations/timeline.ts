import type { InvocationRecord, InvocationView } from "@longshore/sdk";

/** What an invocation did in a stretch of its life. */
export type SegmentKind = "waiting" | "placement" | "start" | "run" | "reply" | "attempt" | "backoff";

/** A stretch of an invocation's life, in milliseconds from its acceptance. */
export interface Segment {
  readonly kind: SegmentKind;
  readonly label: string;
  readonly fromMs: number;
  readonly untilMs: number;
  /** For people: where, what came of it. */
  readonly detail?: string | undefined;
  readonly isBad?: boolean | undefined;
}

/** An invocation's life as segments one after another; `totalMs` is its length, so far where it goes on. */
export interface Timeline {
  readonly totalMs: number;
  readonly segments: readonly Segment[];
}

/** The life of an invocation that ended: what came before its last attempt, then that attempt's parts as far as each was reached. */
export function timelineOf(record: InvocationRecord): Timeline {
  const acceptedMs = Date.parse(record.acceptedAt);
  const totalMs = Math.max(0, record.timings.totalMs ?? 0, Date.parse(record.finishedAt) - acceptedMs);
  const { placementMs, startMs, runMs } = record.timings;
  const segments = pastSegments(record.past ?? [], acceptedMs);
  const behindMs = segments.at(-1)?.untilMs ?? 0;
  const ownMs = (startMs ?? 0) + (runMs ?? 0);
  // Where it is not told when the attempt was sent, that follows from when it ended.
  const sentMs = placementMs ?? (record.sentAt === undefined ? totalMs - ownMs : Date.parse(record.sentAt) - acceptedMs);
  const begunMs = Math.min(totalMs, Math.max(behindMs, sentMs));
  if (begunMs > behindMs) segments.push({ kind: record.past === undefined ? "placement" : "backoff", label: record.past === undefined ? "Placement" : "Backoff and placement", fromMs: behindMs, untilMs: begunMs, ...(record.past === undefined && { detail: "from acceptance to the sending of the order, waiting for a slot included" }) });
  return { totalMs, segments: [...segments, ...lastAttempt(record, begunMs, totalMs)] };
}

function lastAttempt({ timings, start, siteId, agentId, result }: InvocationRecord, begunMs: number, totalMs: number): Segment[] {
  const segments: Segment[] = [];
  const where = siteId === undefined ? undefined : `${siteId} / ${agentId ?? "?"}`;
  let atMs = begunMs;
  const add = (kind: SegmentKind, label: string, ms: number | undefined, detail?: string, isBad?: boolean) => {
    if (ms === undefined) return;
    const untilMs = Math.min(totalMs, atMs + ms);
    segments.push({ kind, label, fromMs: Math.min(atMs, totalMs), untilMs, detail, isBad });
    atMs = untilMs;
  };
  add("start", start === undefined ? "Start" : `Start (${start})`, timings.startMs, where);
  add("run", "Run", timings.runMs, where, result.outcome !== "succeeded");
  if (totalMs > atMs && segments.length > 0) add("reply", "Reply and hops", totalMs - atMs, "what is left: the way there and back");
  return segments;
}

/** One that does not tell when it was sent fills the time since the one before. */
function pastSegments(past: NonNullable<InvocationRecord["past"]>, acceptedMs: number): Segment[] {
  let fromMs = 0;
  return past.flatMap(({ attempt, siteId, agentId, sentAt, endedAt, result }, index) => {
    const sentMs = sentAt === undefined ? fromMs : Math.max(fromMs, Date.parse(sentAt) - acceptedMs);
    const untilMs = Math.max(sentMs, Date.parse(endedAt) - acceptedMs);
    const waited: Segment[] = sentMs > fromMs ? [{ kind: index === 0 ? "placement" : "backoff", label: index === 0 ? "Placement" : "Backoff and placement", fromMs, untilMs: sentMs }] : [];
    const segment: Segment = { kind: "attempt", label: `Attempt ${attempt}`, fromMs: sentMs, untilMs, detail: `${siteId} / ${agentId}: ${result.outcome.replaceAll("_", " ")}${sentAt === undefined ? "; the wait before it included" : ""}`, isBad: true };
    fromMs = untilMs;
    return [...waited, segment];
  });
}

/** The life so far of one that goes on. */
export function pendingTimeline(view: Exclude<InvocationView, { state: "finished" }>, nowMs: number): Timeline {
  const acceptedMs = Date.parse(view.acceptedAt);
  const totalMs = Math.max(1, nowMs - acceptedMs);
  const segments = pastSegments(view.past ?? [], acceptedMs);
  const fromMs = segments.at(-1)?.untilMs ?? 0;
  const where = view.siteId === undefined ? undefined : `${view.siteId} / ${view.agentId ?? "?"}`;
  if (view.state === "running") segments.push({ kind: "run", label: `Attempt ${view.attempt ?? 1} under way`, fromMs, untilMs: totalMs, detail: where });
  else segments.push({ kind: "waiting", label: view.notBefore !== undefined && Date.parse(view.notBefore) > nowMs ? "Not to begin yet" : "Waiting for a slot", fromMs, untilMs: totalMs });
  return { totalMs, segments };
}

const startReasons = {
  warm: "an instance that was begun had a free slot",
  held: "a held instance was ready: only its program had to begin",
  cold: "no instance was free: one was made from nothing",
} as const;

/** Why it ran where it ran, as far as its record tells. */
export function whyThere({ agentId, start, past }: InvocationRecord): string {
  if (agentId === undefined) return "It was never with a host.";
  const because = start === undefined ? "its instance is not told of" : startReasons[start];
  const earlier = past === undefined ? "" : ` ${past.length === 1 ? "One attempt" : `${past.length} attempts`} went before.`;
  return `On ${agentId} ${because}.${earlier}`;
}
