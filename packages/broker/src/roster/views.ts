import type { AgentView, SiteView } from "@longshore/protocol";
import type { AgentEntry } from "./agent-entry.ts";
import type { JoinedSite } from "./joined.ts";

/** Names the revision of a digest; undefined for one that is no longer known. */
export type NameRevision = (digest: string) => string | undefined;

const nothing = { sequence: 0, memoryBytes: 0, memoryFreeBytes: 0, instancesMax: 0, instancesFree: 0, cedesBelow: 0, running: 0, idle: 0, held: 0 };

/** An agent as people and programs see it. `nameRevision` also decides which revisions are shown: a tenant sees its own. */
export function agentView(agent: AgentEntry, nameRevision: NameRevision): AgentView {
  const { capacity, detail, introduction } = agent;
  return {
    agentId: agent.address.agentId,
    siteId: agent.address.siteId,
    state: agent.standing === "unknown" ? "lost" : agent.standing,
    cordoned: agent.joined?.cordoned ?? false,
    ...(detail !== undefined && { detail }),
    labels: agent.labels,
    lastHeardAt: (agent.lastHeardAt ?? new Date(0)).toISOString(),
    ...(introduction !== undefined && { introduction }),
    capacity: capacity === undefined ? nothing : pick(capacity),
    functions: functionsOf(agent, nameRevision),
  };
}

function pick(capacity: NonNullable<AgentEntry["capacity"]>): AgentView["capacity"] {
  const { sequence, memoryBytes, memoryFreeBytes, instancesMax, instancesFree, cedesBelow, running, idle, held, disk } = capacity;
  return { sequence, memoryBytes, memoryFreeBytes, instancesMax, instancesFree, cedesBelow, running, idle, held, ...(disk !== undefined && { disk }) };
}

function functionsOf(agent: AgentEntry, nameRevision: NameRevision): AgentView["functions"] {
  return [...agent.shares].flatMap(([digest, { capacity }]) => {
    const revisionId = nameRevision(digest);
    if (capacity === undefined || revisionId === undefined) return [];
    const { running, instances, held, freeSlots } = capacity;
    return [{ revisionId, running, instances, held, freeSlots }];
  });
}

/** Every site with the sum of its agents; agents that are lost or refused count, and give nothing. */
export function siteViews(sites: Iterable<JoinedSite>, agents: Iterable<AgentEntry>): SiteView[] {
  const views = new Map<string, SiteView>();
  for (const site of sites) views.set(site.siteId, emptySite(site));
  for (const agent of agents) {
    if (agent.joined === undefined) continue;
    const { siteId } = agent.address;
    const view = views.get(siteId) ?? emptySite({ siteId, regions: [] });
    views.set(siteId, addAgent(view, agent));
  }
  return [...views.values()].sort((a, b) => (a.siteId < b.siteId ? -1 : 1));
}

function emptySite({ siteId, regions, tenants }: JoinedSite): SiteView {
  return {
    siteId,
    regions: [...regions],
    ...(tenants !== undefined && { tenants: [...tenants] }),
    agents: 0,
    ready: 0,
    running: 0,
    memoryBytes: 0,
    memoryFreeBytes: 0,
  };
}

function addAgent(view: SiteView, { standing, capacity, joined }: AgentEntry): SiteView {
  const isUp = standing === "ready" || standing === "draining" || standing === "unhealthy";
  return {
    ...view,
    agents: view.agents + 1,
    ready: view.ready + (standing === "ready" && joined?.cordoned === false ? 1 : 0),
    running: view.running + (isUp ? (capacity?.running ?? 0) : 0),
    memoryBytes: view.memoryBytes + (isUp ? (capacity?.memoryBytes ?? 0) : 0),
    memoryFreeBytes: view.memoryFreeBytes + (isUp ? (capacity?.memoryFreeBytes ?? 0) : 0),
  };
}
