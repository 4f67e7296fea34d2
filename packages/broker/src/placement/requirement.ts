import { formatWhere, type Labels, type PlacementRules, type Revision, type Where } from "@longshore/protocol";
import type { AgentEntry } from "../roster/agent-entry.ts";

/** All that must hold of an agent before it may run a revision, whatever its load. */
export interface Requirement {
  readonly tenantId: string;
  readonly sites: readonly string[] | undefined;
  readonly agentId: string | undefined;
  readonly labels: Labels;
  readonly residency: readonly string[] | undefined;
  /** Absent: not known yet (at deploy, before the image was seen). */
  readonly architecture: string | undefined;
}

/** A condition that an agent does not meet. */
export type Unmet = "agent" | "site" | "tenant" | "residency" | "label" | "architecture";

/** What a tenant's function asks of an agent, before its image is known. */
export function requirementOfRules(tenantId: string, rules: PlacementRules): Requirement {
  return { tenantId, sites: rules.sites, agentId: undefined, labels: rules.require ?? {}, residency: rules.residency, architecture: undefined };
}

/**
 * What a call asks of an agent: the function's rules, narrowed by the call's where; one requirement per preference, the most
 * preferred first, the last without any.
 */
export function requirementsOf(revision: Revision, where: Where): readonly Requirement[] {
  const { placement: rules } = revision.spec;
  const base = narrow({ ...requirementOfRules(revision.tenantId, rules), architecture: revision.image.architecture }, where);
  const preferred = (rules.prefer ?? []).map(({ key, value }) => ({ ...base, labels: addLabels(base.labels, { [key]: value }) }));
  return [...preferred, base];
}

/** Names what a requirement asks: equal keys, equal answers. */
export function requirementKey(requirement: Requirement): string {
  const labels = Object.entries(requirement.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([requirement.tenantId, requirement.sites, requirement.agentId, labels, requirement.residency, requirement.architecture]);
}

/** The first condition that an agent does not meet; undefined when it meets all. */
export function firstUnmet(requirement: Requirement, agent: AgentEntry): Unmet | undefined {
  if (requirement.agentId !== undefined && requirement.agentId !== agent.address.agentId) return "agent";
  if (requirement.sites?.includes(agent.address.siteId) === false) return "site";
  if (agent.site?.tenants?.includes(requirement.tenantId) === false) return "tenant";
  if (requirement.residency !== undefined && !staysWithin(requirement.residency, agent)) return "residency";
  for (const key in requirement.labels) if (agent.labels[key] !== requirement.labels[key]) return "label";
  if (requirement.architecture !== undefined && agent.introduction !== undefined && requirement.architecture !== agent.introduction.architecture) return "architecture";
  return undefined;
}

function staysWithin(residency: readonly string[], agent: AgentEntry): boolean {
  return agent.site?.regions.some((region) => residency.includes(region)) ?? false;
}

function narrow(base: Requirement, where: Where): Requirement {
  const sites = where.site === undefined ? base.sites : [where.site].filter((site) => base.sites?.includes(site) !== false);
  return { ...base, sites, agentId: where.agent, labels: where.labels === undefined ? base.labels : addLabels(base.labels, where.labels) };
}

/** A label's value that no agent can have. */
const impossible = "\0";

/** Both sets of labels; a key of which two values are asked is met by nobody. */
function addLabels(labels: Labels, more: Labels): Labels {
  const both = { ...labels };
  for (const [key, value] of Object.entries(more)) both[key] = !Object.hasOwn(labels, key) || labels[key] === value ? value : impossible;
  return both;
}

/** Names a revision and a where together, for caches. */
export function placementKey(revision: Revision, where: Where): string {
  return isAnywhere(where) ? revision.digest : `${revision.digest}|${formatWhere(where)}`;
}

function isAnywhere(where: Where): boolean {
  return where.site === undefined && where.agent === undefined && where.labels === undefined;
}
