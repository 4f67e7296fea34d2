import { LongshoreError, type Reason } from "@longshore/protocol";
import { type AgentEntry, isPlaceable } from "../roster/agent-entry.ts";
import { firstUnmet, type Requirement, type Unmet } from "./requirement.ts";

/** How far an agent came through the conditions, in the order they are checked. */
const order: readonly Unmet[] = ["agent", "site", "tenant", "residency", "label", "runtime", "architecture"];

/** Says why no agent may run something: the condition that those who came furthest do not meet, or why they are out of placement. */
export function explainNoAgent(what: string, requirement: Requirement, agents: Iterable<AgentEntry>): LongshoreError {
  const joined = [...agents].filter((agent) => agent.joined !== undefined);
  if (joined.length === 0) return unplaceable("no_agent_eligible", what, "no agent has joined the fleet");
  const unmet = joined.map((agent) => firstUnmet(requirement, agent));
  const meeting = joined.filter((_, at) => unmet[at] === undefined);
  if (meeting.length > 0) return explainStanding(what, meeting);
  const furthest = Math.max(...unmet.map((condition) => (condition === undefined ? -1 : order.indexOf(condition))));
  const condition = order[furthest] ?? "site";
  return unplaceable(condition === "architecture" ? "wrong_architecture" : "no_agent_eligible", what, describe(condition, requirement, joined, joined.filter((_, at) => unmet[at] === condition)));
}

/** Says why an image that is in no registry can run nowhere. */
export function explainLocalImage(what: string, reference: string): LongshoreError {
  return unplaceable("no_agent_eligible", what, `its image ${quote(reference)} is in no registry, and no eligible agent has it`);
}

/** Says why an image that nobody has can be pulled nowhere. */
export function explainFullDisk(what: string): LongshoreError {
  return unplaceable("disk_full", what, "no eligible agent has its image, and the disk of each is full", 30_000);
}

function describe(condition: Unmet, requirement: Requirement, joined: readonly AgentEntry[], agents: readonly AgentEntry[]): string {
  switch (condition) {
    case "agent":
      return `there is no agent ${quote(requirement.agentId ?? "")}`;
    case "site":
      return describeSites(requirement.sites ?? [], joined.filter(({ site }) => site?.tenants?.includes(requirement.tenantId) !== false));
    case "tenant":
      return "no site that fits may be used by this tenant";
    case "residency":
      return `no site that fits is in the regions ${list(requirement.residency ?? [])}`;
    case "label":
      return `no agent that fits has the labels ${list(Object.entries(requirement.labels).map(([key, value]) => `${key}=${value === "\0" ? "(two values are asked)" : value}`))}`;
    case "runtime":
      return `no agent that fits has the container runtime ${quote(requirement.runtime ?? "")} (there are ${list([...new Set(agents.flatMap((agent) => agent.introduction?.runtimes ?? []))].sort().slice(0, 20))})`;
    case "architecture":
      return `the image is for ${quote(requirement.architecture ?? "")}, and agents that fit are ${list([...new Set(agents.flatMap((agent) => agent.introduction?.architecture ?? []))])}`;
  }
}

/** `usable`: a tenant is not told of sites that it may not use. */
function describeSites(sites: readonly string[], usable: readonly AgentEntry[]): string {
  if (sites.length === 0) return "the site that the call asks for is not among the function's sites";
  const known = [...new Set(usable.map((agent) => agent.address.siteId))].sort();
  return `no agent is at ${sites.length === 1 ? "site" : "sites"} ${list(sites)} (there are ${list(known.slice(0, 20))})`;
}

/** Agents meet the rules and none is placeable: the most passing trouble among them is the reason. */
function explainStanding(what: string, agents: readonly AgentEntry[]): LongshoreError {
  const idle = agents.filter((agent) => !isPlaceable(agent));
  const sites = list([...new Set(idle.map((agent) => agent.address.siteId))].sort());
  if (idle.some(({ standing }) => standing === "lost" || standing === "unknown")) {
    return unplaceable("site_disconnected", what, `no agent that fits is in reach (sites ${sites})`, 5_000);
  }
  const unhealthy = idle.find(({ standing }) => standing === "unhealthy");
  if (unhealthy !== undefined) {
    return unplaceable("engine_unavailable", what, `agent ${quote(unhealthy.address.agentId)} is unhealthy: ${unhealthy.detail ?? "its engine does not answer"}`, 5_000);
  }
  if (idle.some(({ standing }) => standing === "draining")) return unplaceable("agent_draining", what, "every agent that fits is draining", 5_000);
  const refused = idle.find(({ standing }) => standing === "refused");
  if (refused !== undefined) return unplaceable("no_agent_eligible", what, `agent ${quote(refused.address.agentId)} is refused: ${refused.detail ?? "it may not work here"}`);
  return unplaceable("no_agent_eligible", what, "every agent that fits is cordoned");
}

function unplaceable(reason: Reason, what: string, because: string, retryAfterMs?: number): LongshoreError {
  return new LongshoreError(reason, `Cannot place ${what}: ${because}`, { phase: "placement", retryAfterMs });
}

const quote = (text: string) => JSON.stringify(text);
const list = (parts: readonly string[]) => parts.map(quote).join(", ");
