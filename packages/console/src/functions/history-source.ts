import type { History, HistoryPoint } from "@longshore/protocol";
import type { Fleet, HistoryOptions } from "@longshore/sdk";
import { unlessUnknown } from "../shell/older-broker.ts";

/** What became of invocations over time; undefined where this broker is older and keeps no history. */
export async function readHistory(fleet: Pick<Fleet, "history">, query: HistoryOptions): Promise<ReadonlyMap<string, readonly HistoryPoint[]> | undefined> {
  const history: History | undefined = await unlessUnknown(fleet.history(query));
  return history === undefined ? undefined : new Map(history.functions.map(({ name, points }) => [name, points]));
}
