import { type AgentPageQuery, agentPageQuerySchema, type PageQuery, pageQuerySchema, parseInput } from "@longshore/protocol";
import { readNumber } from "./query.ts";

/** Which page of a listing is wanted; throws `bad_schema` naming the parameter. */
export function readPageQuery(query: URLSearchParams): PageQuery {
  return parseInput(pageQuerySchema, given(query), "query");
}

/** The same of agents, or of one site's. */
export function readAgentPageQuery(query: URLSearchParams): AgentPageQuery {
  return parseInput(agentPageQuerySchema, given(query), "query");
}

function given(query: URLSearchParams): Record<string, unknown> {
  const limit = query.get("limit");
  return { ...Object.fromEntries(query), ...(limit !== null && { limit: readNumber(limit) }) };
}
