import { historyQuerySchema, parseInput, recordPageQuerySchema } from "@longshore/protocol";
import type { Handler } from "./handler.ts";
import { readGiven } from "./query.ts";

/** What became of invocations: over time, and one by one. */
export const historyHandlers = {
  getHistory: ({ parts, tenantId, query }) => parts.history.read(tenantId, parseInput(historyQuerySchema, readGiven(query, ["lastMs"]), "query")),
  listRecords: ({ parts, tenantId, query }) => parts.records.page(tenantId, parseInput(recordPageQuerySchema, readGiven(query, ["limit"]), "query")),
} satisfies Record<string, Handler>;
