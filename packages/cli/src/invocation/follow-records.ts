import { type InvocationRecord, LongshoreError, type RecordPageQuery } from "@longshore/protocol";
import type { Fleet } from "../fleet.ts";

/** Which records are followed; what is absent takes any. */
export type RecordFilter = Pick<Partial<RecordPageQuery>, "function" | "outcome" | "site" | "agent">;

export interface FollowOptions {
  readonly filter: RecordFilter;
  readonly signal: AbortSignal;
  /** RFC 3339: what ended before the following began is never asked for. */
  readonly fromAt: string;
  /** Told once the following has begun, and each time that it is taken up after the connection broke; `isWhole` false: what ended meanwhile is not known. */
  readonly onConnected: (again: { readonly isAgain: boolean; readonly isWhole: boolean }) => void;
}

/** So many records are remembered, and asked for after a gap. */
const mostRemembered = 1_000;
const pageRecords = 200;

/** Whether a broker, or this client, does not know what was asked: an older one. */
export function isUnknownToBroker(error: unknown): boolean {
  return error instanceof LongshoreError && (error.reason === "route_not_found" || error.code === "unimplemented");
}

/**
 * Records of invocations as they end. When the connection broke, those that ended meanwhile come as soon as it is back, oldest first, as far
 * as the broker keeps them; none comes twice.
 */
export async function* followRecords(fleet: Pick<Fleet, "watch" | "records">, { filter, signal, fromAt, onConnected }: FollowOptions): AsyncGenerator<InvocationRecord, void> {
  const seen = new Set<string>();
  const remember = (record: InvocationRecord): boolean => {
    if (seen.has(record.invocationId)) return false;
    seen.add(record.invocationId);
    const [oldest] = seen;
    if (seen.size > mostRemembered && oldest !== undefined) seen.delete(oldest);
    return true;
  };
  let [lastAt, isAgain] = [fromAt, false];
  for await (const event of fleet.watch({ signal })) {
    if (event.event === "caught_up") {
      const missed = isAgain ? await recordsSince(fleet, lastAt, filter) : [];
      onConnected({ isAgain, isWhole: missed !== undefined });
      isAgain = true;
      for (const record of missed ?? []) if (remember(record)) yield record;
    }
    if (event.event !== "invocation" || !isWanted(event.record, filter)) continue;
    if (event.record.finishedAt > lastAt) lastAt = event.record.finishedAt;
    if (remember(event.record)) yield event.record;
  }
}

/** Whether a record is one of those that are followed. */
export function isWanted({ functionName, result, siteId, agentId }: InvocationRecord, filter: RecordFilter): boolean {
  const pairs = [[filter.function, functionName], [filter.outcome, result.outcome], [filter.site, siteId], [filter.agent, agentId]] as const;
  return pairs.every(([wanted, has]) => wanted === undefined || wanted === has);
}

/** Those that ended since, oldest first, at most {@link mostRemembered}; undefined where nobody knows. */
async function recordsSince({ records }: Pick<Fleet, "records">, sinceAt: string, filter: RecordFilter): Promise<readonly InvocationRecord[] | undefined> {
  const found: InvocationRecord[] = [];
  try {
    for (let before: string | undefined; found.length < mostRemembered; ) {
      const page = await records.page({ ...filter, limit: pageRecords, ...(before !== undefined && { before }) });
      found.push(...page.records.filter(({ finishedAt }) => finishedAt >= sinceAt));
      before = page.next;
      if (before === undefined || before < sinceAt) break;
    }
    return found.toReversed();
  } catch (error) {
    if (isUnknownToBroker(error) || (error instanceof LongshoreError && error.code === "unavailable")) return undefined;
    throw error;
  }
}
