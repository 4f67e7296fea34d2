import type { InvocationRecord, Outcome } from "@longshore/sdk";

/** Which invocations a person wants to see; what is absent is not looked at. */
export interface InvocationFilter {
  readonly functionName?: string | undefined;
  /** `troubled`: whatever did not succeed, and was not cancelled. */
  readonly outcome?: Outcome | "troubled" | undefined;
  readonly site?: string | undefined;
  readonly agentId?: string | undefined;
  /** The beginning of an id, or any part of it. */
  readonly id?: string | undefined;
  /** Took at least that long. */
  readonly slowerMs?: number | undefined;
}

/** Whether an invocation is wanted. */
export function matches(filter: InvocationFilter, record: InvocationRecord): boolean {
  const { outcome } = record.result;
  if (filter.functionName !== undefined && record.functionName !== filter.functionName) return false;
  if (filter.outcome === "troubled" ? !isTroubled(record) : filter.outcome !== undefined && outcome !== filter.outcome) return false;
  if (filter.site !== undefined && record.siteId !== filter.site) return false;
  if (filter.agentId !== undefined && record.agentId !== filter.agentId) return false;
  if (filter.slowerMs !== undefined && !(durationOf(record) >= filter.slowerMs)) return false;
  return filter.id === undefined || record.invocationId.includes(filter.id);
}

/** Whether it ended in a way that somebody may want to look at: an outcome that is none of success, or an answer with a status of 500 or more. */
export function isTroubled({ result }: Pick<InvocationRecord, "result">): boolean {
  return (result.outcome !== "succeeded" && result.outcome !== "cancelled") || (result.status ?? 200) >= 500;
}

/** From acceptance to the end, milliseconds. */
export function durationOf({ timings, acceptedAt, finishedAt }: Pick<InvocationRecord, "timings" | "acceptedAt" | "finishedAt">): number {
  return timings.totalMs ?? Math.max(0, Date.parse(finishedAt) - Date.parse(acceptedAt));
}

/** Reads a filter out of an address's query; what it cannot be is left out. */
export function readFilter(query: Readonly<Record<string, string>>): InvocationFilter {
  const slowerMs = Number(query["slower"] ?? "");
  return {
    ...(query["function"] !== undefined && { functionName: query["function"] }),
    ...(query["outcome"] !== undefined && { outcome: query["outcome"] as InvocationFilter["outcome"] }),
    ...(query["site"] !== undefined && { site: query["site"] }),
    ...(query["agent"] !== undefined && { agentId: query["agent"] }),
    ...(query["id"] !== undefined && { id: query["id"].trim().toLowerCase() }),
    ...(slowerMs > 0 && { slowerMs }),
  };
}
