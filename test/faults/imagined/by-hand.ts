import type { EventOf, HistoryEvent, HistoryInput } from "../history.ts";
import { historyEventSchema } from "../history.ts";

/** The invocation of a history made by hand. */
export const theOne = "01890000-0000-7000-8000-00000000abcd";
export const submittedMs = 1_000;
export const deadlineMs = 31_000;
export const closedMs = 200_000;

type Terms = Partial<Omit<EventOf<"submitted">, "event" | "invocationId">>;

/** A history of one invocation: its submission, and what else is said of it. */
export function byHand(terms: Terms, ...events: readonly HistoryInput[]): HistoryEvent[] {
  const all: HistoryInput[] = [
    { event: "opened", atMs: 0, seed: 1, startedAt: "2026-11-28T12:00:00.000Z", minutes: 3, kinds: [], tenants: { default: "marker-a", other: "marker-b" } },
    { event: "submitted", atMs: submittedMs, invocationId: theOne, mode: "async", tenantId: "default", functionName: "resize", brokerId: "broker-1", deadlineMs, idempotent: false, retry: "default", outcomes: ["succeeded"], output: "right", ...terms },
    ...events,
    { event: "closed", atMs: closedMs },
  ];
  return all.map((event) => historyEventSchema.parse(event));
}

/** A run of it on an agent. */
export function run(agentId: string, beganMs: number, endedMs: number, how: "succeeded" | "failed" | "killed" = "succeeded"): HistoryInput[] {
  const runId = `run-${beganMs}`;
  return [
    { event: "began", atMs: beganMs, invocationId: theOne, runId, agentId },
    { event: "ended", atMs: endedMs, invocationId: theOne, runId, how, ...(how === "succeeded" && { output: "right" }) },
  ];
}

export const accepted: HistoryInput = { event: "accepted", atMs: submittedMs + 5, invocationId: theOne };

/** Its record, read a second after. */
export function record(finishedMs: number, fields: Partial<Omit<EventOf<"record">, "event">> = {}): HistoryInput {
  return { event: "record", atMs: finishedMs + 1_000, invocationId: theOne, readFrom: "broker-1", outcome: "succeeded", attempt: 1, finishedMs, ...fields };
}

/** Its sync caller's answer. */
export function answered(atMs: number, fields: Partial<Omit<EventOf<"answered">, "event" | "atMs">> = {}): HistoryInput {
  return { event: "answered", atMs, invocationId: theOne, outcome: "succeeded", ...fields };
}

/** A fault from begin to heal. */
export function fault(kind: EventOf<"fault_began">["kind"], beganMs: number, healedMs: number, scope: Pick<EventOf<"fault_began">, "agentIds" | "brokerIds"> = {}): HistoryInput[] {
  const faultId = `${kind}-${beganMs}`;
  return [
    { event: "fault_began", atMs: beganMs, faultId, kind, target: "it", ...scope },
    { event: "fault_healed", atMs: healedMs, faultId },
  ];
}
