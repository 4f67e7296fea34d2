import { formatWhere, type Introduction, type Labels, type PlacementRules, type Revision, runtimeProtocolVersion, type Where } from "@longshore/protocol";
import type { AgentEntry } from "../roster/agent-entry.ts";

/** All that must hold of an agent before it may run a revision, whatever its load. */
export interface Requirement {
  readonly tenantId: string;
  readonly sites: readonly string[] | undefined;
  readonly agentId: string | undefined;
  readonly labels: Labels;
  readonly residency: readonly string[] | undefined;
  /** What the engine must have to make containers with; absent: its own choice will do. */
  readonly runtime: string | undefined;
  /** Absent: not known yet (at deploy, before the image was seen). */
  readonly architecture: string | undefined;
}

/** A condition that an agent does not meet. */
export type Unmet = "agent" | "site" | "tenant" | "residency" | "label" | "runtime" | "architecture";

/** What a tenant's function asks of an agent, before its image is known. */
export function requirementOf(tenantId: string, { placement, runtime }: { readonly placement: PlacementRules; readonly runtime?: string | undefined }): Requirement {
  return { tenantId, sites: placement.sites, agentId: undefined, labels: placement.require ?? {}, residency: placement.residency, runtime, architecture: undefined };
}

/**
 * What a call asks of an agent: the function's rules, narrowed by the call's where; one requirement per preference, the most
 * preferred first, the last without any.
 */
export function requirementsOf(revision: Revision, where: Where): readonly Requirement[] {
  const base = narrow({ ...requirementOf(revision.tenantId, revision.spec), architecture: revision.image.architecture }, where);
  const preferred = (revision.spec.placement.prefer ?? []).map(({ key, value }) => ({ ...base, labels: addLabels(base.labels, { [key]: value }) }));
  return [...preferred, base];
}

/** Names what a requirement asks: equal keys, equal answers. */
export function requirementKey(requirement: Requirement): string {
  const labels = Object.entries(requirement.labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([requirement.tenantId, requirement.sites, requirement.agentId, labels, requirement.residency, requirement.runtime, requirement.architecture]);
}

/** The first condition that an agent does not meet; undefined when it meets all. */
export function firstUnmet(requirement: Requirement, agent: AgentEntry): Unmet | undefined {
  if (requirement.agentId !== undefined && requirement.agentId !== agent.address.agentId) return "agent";
  if (requirement.sites?.includes(agent.address.siteId) === false) return "site";
  if (agent.site?.tenants?.includes(requirement.tenantId) === false) return "tenant";
  if (requirement.residency !== undefined && !staysWithin(requirement.residency, agent)) return "residency";
  for (const key in requirement.labels) if (agent.labels[key] !== requirement.labels[key]) return "label";
  if (requirement.runtime !== undefined && agent.introduction !== undefined && !canUse(requirement.runtime, agent.introduction)) return "runtime";
  if (requirement.architecture !== undefined && agent.introduction !== undefined && requirement.architecture !== agent.introduction.architecture) return "architecture";
  return undefined;
}

function canUse(runtime: string, { runtimes, protocolVersion }: Introduction): boolean {
  return protocolVersion >= runtimeProtocolVersion && runtimes.includes(runtime);
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
