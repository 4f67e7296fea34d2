import { parseInput, recordPageQuerySchema } from "@longshore/protocol";
import type { Handler } from "./handler.ts";
import { readGiven } from "./query.ts";

/** What became of invocations: one by one. */
export const historyHandlers = {
  listRecords: ({ parts, tenantId, query }) => parts.records.page(tenantId, parseInput(recordPageQuerySchema, readGiven(query, ["limit"]), "query")),
} satisfies Record<string, Handler>;
