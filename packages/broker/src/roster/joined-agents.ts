import type { AgentId, SiteId } from "@longshore/protocol";
import type { Agents, JoinedAgent as StoredAgent } from "../identity/agents.ts";
import type { Sites } from "../identity/sites.ts";
import type { Joined, JoinedAgent } from "./joined.ts";

/** The joined agents and sites as identity keeps them; one whose credential was taken back is not among them. */
export function joinedAgents(agents: Agents, sites: Sites): Joined {
  return {
    agent: (agentId) => unlessRevoked(agents.get(agentId)),
    agents: () => agents.list().filter(({ revoked }) => !revoked),
    site: (siteId: SiteId) => sites.get(siteId),
    sites: () => sites.list(),
    onChange(handler) {
      agents.onChange((agentId) => handler(agentId as AgentId));
      sites.onChange(() => handler(undefined));
    },
  };
}

function unlessRevoked(agent: StoredAgent | undefined): JoinedAgent | undefined {
  return agent?.revoked === true ? undefined : agent;
}
