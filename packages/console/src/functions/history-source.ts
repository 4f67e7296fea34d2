import type { History, HistoryPoint, historyQuerySchema, RecordPage, recordPageQuerySchema } from "@longshore/protocol";
import { type Fleet, LongshoreError } from "@longshore/sdk";
import type { z } from "zod";

/** As it is asked: names are judged by the broker. */
export type HistoryQuestion = Loose<z.input<typeof historyQuerySchema>>;
export type RecordQuestion = Loose<z.input<typeof recordPageQuerySchema>>;
type Loose<Query> = { readonly [Name in keyof Query]?: Query[Name] extends string | undefined ? (Name extends "outcome" ? Query[Name] : string | undefined) : Query[Name] };

/** What a fleet's client may have beside the rest: brokers that keep history are newer than those that do not. */
interface Remembering {
  readonly history?: (query: HistoryQuestion) => Promise<History>;
  readonly records?: { readonly page: (query: RecordQuestion) => Promise<RecordPage> };
}

/** What became of invocations over time; undefined where this broker keeps no history. */
export async function readHistory(fleet: Fleet, query: HistoryQuestion): Promise<ReadonlyMap<string, readonly HistoryPoint[]> | undefined> {
  const history = await unlessUnknown(async () => (fleet as Remembering).history?.(query));
  return history === undefined ? undefined : new Map(history.functions.map(({ name, points }) => [name, points]));
}

/** A page of terminal records, newest first; undefined where this broker lists none. */
export async function readRecords(fleet: Fleet, query: RecordQuestion): Promise<RecordPage | undefined> {
  return unlessUnknown(async () => (fleet as Remembering).records?.page(query));
}

async function unlessUnknown<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof LongshoreError && (error.reason === "route_not_found" || error.reason === "method_not_allowed")) return undefined;
    throw error;
  }
}
