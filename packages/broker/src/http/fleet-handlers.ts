import { drainRequestSchema, joinRequestSchema, parseInput, renewRequestSchema, tokenRequestSchema } from "@longshore/protocol";
import type { Handler, HandlerContext } from "./handler.ts";
import { openApiDocument } from "./openapi.ts";
import { readAgentPageQuery } from "./page-query.ts";
import { sendJson } from "./problem.ts";
import type { ServerResponse } from "node:http";
import { productVersion } from "../version.ts";

const idOf = ({ parameters }: HandlerContext) => parameters["id"] ?? "";
const openApi = Buffer.from(JSON.stringify(openApiDocument(productVersion)));

function sendMetrics(response: ServerResponse, page: string): void {
  response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" }).end(page);
}

/** Agents, sites, tokens, joining; health, metrics, the interface itself. */
export const fleetHandlers = {
  listAgents: ({ parts, query }) => parts.fleet.agents(readAgentPageQuery(query)),
  listSites: ({ parts }) => ({ sites: parts.fleet.sites() }),
  cordonAgent: (context) => context.parts.fleet.cordon(idOf(context), true),
  uncordonAgent: (context) => context.parts.fleet.cordon(idOf(context), false),
  drainAgent: async (context) => context.parts.fleet.drain(idOf(context), parseInput(drainRequestSchema, await context.document(), "drain request")),
  async revokeAgent(context) {
    await context.parts.fleet.revoke(idOf(context));
    context.response.writeHead(204).end();
  },
  async createToken(context) {
    sendJson(context.response, 201, await context.parts.identity.createToken(parseInput(tokenRequestSchema, await context.document(), "token request")));
  },
  join: async (context) => context.parts.identity.join(parseInput(joinRequestSchema, await context.document(), "join request")),
  renewAgent: async (context) => context.parts.identity.renew(idOf(context), parseInput(renewRequestSchema, await context.document(), "renewal request")),
  healthz: ({ parts }) => ({ status: "ok", brokerId: parts.health.brokerId }),
  readyz({ parts, response }) {
    const { brokerId, durability } = parts.health;
    const detail = parts.health.problem();
    sendJson(response, detail === undefined ? 200 : 503, {
      status: detail === undefined ? "ok" : "unavailable",
      brokerId,
      ...(detail !== undefined && { detail }),
      ...(durability !== undefined && { durability: { state: durability.state, detail: durability.detail, mend: durability.mend } }),
    });
  },
  metrics: ({ parts, response }) => sendMetrics(response, parts.metrics()),
  agentMetrics: ({ parts, response }) => sendMetrics(response, parts.agentMetrics()),
  openapi({ response }) {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": openApi.length }).end(openApi);
  },
} satisfies Record<string, Handler>;
