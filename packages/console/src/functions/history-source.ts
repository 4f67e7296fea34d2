import type { History, HistoryPoint, RecordPage } from "@longshore/protocol";
import { type Fleet, type HistoryOptions, LongshoreError, type RecordQuery } from "@longshore/sdk";

/** What became of invocations over time; undefined where this broker is older and keeps no history. */
export async function readHistory(fleet: Pick<Fleet, "history">, query: HistoryOptions): Promise<ReadonlyMap<string, readonly HistoryPoint[]> | undefined> {
  const history: History | undefined = await unlessUnknown(fleet.history(query));
  return history === undefined ? undefined : new Map(history.functions.map(({ name, points }) => [name, points]));
}

/** A page of terminal records, newest first; undefined where this broker is older and lists none. */
export async function readRecords(fleet: Pick<Fleet, "records">, query: RecordQuery): Promise<RecordPage | undefined> {
  return unlessUnknown(fleet.records.page(query));
}

async function unlessUnknown<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof LongshoreError && (error.reason === "route_not_found" || error.reason === "method_not_allowed")) return undefined;
    throw error;
  }
}
