import type { ArrangedHistory, Fault } from "../arrange.ts";
import type { EventOf, HistoryEvent } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Verdict, verdictOf } from "../verdict.ts";

/** How long Longshore took over one fault, as far as it was seen, milliseconds. */
export interface FaultTimes {
  readonly fault: Fault;
  /** From its beginning until Longshore showed that it knew. */
  readonly detectionMs: number | undefined;
  /** From its heal to the first success of what it had touched. */
  readonly recoveryMs: number | undefined;
}

interface Success {
  readonly atMs: number;
  readonly agentId: string | undefined;
  readonly brokerId: string;
  readonly mode: EventOf<"submitted">["mode"];
  readonly event: HistoryEvent;
}

/** The times of every fault. */
export function faultTimes(history: ArrangedHistory): FaultTimes[] {
  const successes = successesOf(history);
  return history.faults.map((fault) => {
    const first = successes.find((success) => success.atMs >= fault.toMs && isInScope(fault, success));
    return { fault, detectionMs: fault.noticed && fault.noticed.atMs - fault.fromMs, recoveryMs: first && first.atMs - fault.toMs };
  });
}

/**
 * I13: after each heal something succeeds on what the fault had touched, in time. Not judged where another fault touched the same
 * meanwhile, or where nobody asked for anything.
 */
export function checkRecovery(history: ArrangedHistory, limits: Limits): Verdict {
  const judged = faultTimes(history).filter(({ fault, recoveryMs }) => recoveryMs !== undefined ? isQuick(recoveryMs, limits) || isUndisturbed(history, fault, limits) : isUndisturbed(history, fault, limits));
  return verdictOf("I13", judged, ({ fault, recoveryMs }) => {
    if (recoveryMs !== undefined && isQuick(recoveryMs, limits)) return undefined;
    const when = recoveryMs === undefined ? "nothing succeeded any more" : `nothing succeeded for ${Math.round(recoveryMs)} ms`;
    return { sentence: `After ${fault.began.kind} of "${fault.began.target}" was healed, ${when}`, events: [fault.began, ...(fault.healed === undefined ? [] : [fault.healed])] };
  });
}

const isQuick = (recoveryMs: number, limits: Limits) => recoveryMs <= limits.recoveryMs;

function isUndisturbed(history: ArrangedHistory, fault: Fault, { recoveryMs }: Limits): boolean {
  const untilMs = fault.toMs + recoveryMs;
  const isAlone = history.faults.every((other) => other === fault || other.fromMs > untilMs || other.toMs < fault.toMs || !overlap(fault, other));
  const isAsked = history.of("submitted").some((submitted) => submitted.atMs >= fault.toMs && submitted.atMs <= untilMs && (fault.began.brokerIds?.includes(submitted.brokerId) ?? true));
  return untilMs <= history.lastMs && isAlone && isAsked;
}

function overlap({ began: one }: Fault, { began: other }: Fault): boolean {
  if (one.agentIds !== undefined && other.agentIds !== undefined) return one.agentIds.some((id) => other.agentIds?.includes(id));
  if (one.brokerIds !== undefined && other.brokerIds !== undefined) return one.brokerIds.some((id) => other.brokerIds?.includes(id));
  return true;
}

function isInScope({ began: { agentIds, brokerIds } }: Fault, { agentId, brokerId, mode }: Success): boolean {
  const isOnAgent = agentIds === undefined || (agentId !== undefined && agentIds.includes(agentId));
  return isOnAgent && (brokerIds === undefined || (mode !== "async" && brokerIds.includes(brokerId)));
}

/** In order of time. */
function successesOf({ stories }: ArrangedHistory): Success[] {
  const all = [...stories.values()].flatMap(({ terms: { brokerId, mode }, answers, records }) => [
    ...answers.filter(({ outcome }) => outcome === "succeeded").map((event): Success => ({ atMs: event.atMs, agentId: event.agentId, brokerId, mode, event })),
    ...records.filter(({ outcome }) => outcome === "succeeded").slice(0, 1).map((event): Success => ({ atMs: event.finishedMs, agentId: event.agentId, brokerId, mode, event })),
  ]);
  return all.sort((a, b) => a.atMs - b.atMs);
}
