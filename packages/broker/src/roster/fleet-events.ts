import type { FleetEvent, TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { EventHub } from "../events.ts";
import type { AgentEntry } from "./agent-entry.ts";
import type { Roster } from "./roster.ts";

/** Heartbeats of a busy agent come forty times a second; those who watch are told that often. */
const tellEveryMs = 500;

/** Tells watchers of agents: a change of state at once, a change of capacity within half a second. */
export function tellOfAgents(roster: Roster, hub: EventHub, clock: Clock, event: (agent: AgentEntry, tenantId: TenantId) => FleetEvent): void {
  const waiting = new Set<AgentEntry>();
  const tell = (agent: AgentEntry) => {
    waiting.delete(agent);
    hub.tellEach((tenantId) => event(agent, tenantId));
  };
  const tellAll = () => {
    for (const agent of [...waiting]) tell(agent);
  };
  roster.observe({
    changed: tell,
    heard(agent) {
      if (!hub.hasWatchers) return;
      if (waiting.size === 0) clock.after(tellEveryMs, tellAll);
      waiting.add(agent);
    },
    gone(agent) {
      waiting.delete(agent);
      hub.tellEach(() => ({ event: "agent_gone", agentId: agent.address.agentId }));
    },
  });
}
