import { type LogFilter, logFilterSchema, parseInput } from "@longshore/protocol";
import { readFlag, readNumber } from "./query.ts";

/** Reads which lines are wanted from a query; throws `bad_schema` naming the parameter. */
export function readLogFilter(query: URLSearchParams): LogFilter {
  const given: Record<string, unknown> = Object.fromEntries(query);
  for (const field of ["tail", "sinceMs"]) if (query.has(field)) given[field] = readNumber(query.get(field) ?? "");
  if (query.has("follow")) given["follow"] = readFlag(query, "follow");
  return parseInput(logFilterSchema, given, "query");
}
