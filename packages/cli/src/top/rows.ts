import type { AgentView } from "@longshore/protocol";
import { agentState } from "../agent-state.ts";
import { type Figures, figuresOf } from "./activity.ts";
import type { FleetNow } from "./fleet-now.ts";
import type { FunctionSort, HostSort, View } from "./view.ts";

/** What some hosts have and what of it is in use. */
export interface Load {
  readonly running: number;
  readonly idle: number;
  readonly held: number;
  readonly memoryBytes: number;
  readonly memoryUsedBytes: number;
}

/** A line of the hosts' pane: a site with all that it has, then each of its hosts. */
export type HostRow =
  | { readonly kind: "site"; readonly siteId: string; readonly hosts: number; readonly ready: number; readonly load: Load }
  | { readonly kind: "host"; readonly agent: AgentView; readonly state: string; readonly load: Load };

export interface FunctionRow {
  readonly name: string;
  readonly figures: Figures;
  /** Under way, over all hosts. */
  readonly running: number;
}

/** The rows of both panes as they are looked at, and what everything comes to together. */
export interface Rows {
  readonly hosts: readonly HostRow[];
  readonly functions: readonly FunctionRow[];
  readonly totals: { readonly hosts: number; readonly ready: number; readonly sites: number; readonly functions: number; readonly load: Load; readonly figures: Figures };
}

/** Works the rows out. */
export function rowsOf(fleet: FleetNow, view: View, nowMs: number): Rows {
  const agents = [...fleet.agents.values()];
  const running = runningByFunction(agents);
  const names = new Set([...fleet.activities.keys(), ...running.keys()]);
  const functions = [...names].map((name) => ({ name, running: running.get(name) ?? 0, figures: figuresOf([fleet.activities.get(name) ?? new Map()], nowMs, fleet.sinceMs) }));
  return {
    hosts: hostRows(agents.filter(({ agentId, siteId }) => has(view.filter, agentId, siteId)), view.sort.hosts),
    functions: functions.filter(({ name }) => has(view.filter, name)).toSorted(byFunction(view.sort.functions)),
    totals: {
      hosts: agents.length,
      ready: agents.filter(({ state }) => state === "ready").length,
      sites: new Set(agents.map(({ siteId }) => siteId)).size,
      functions: names.size,
      load: loadOf(agents),
      figures: figuresOf([...fleet.activities.values()], nowMs, fleet.sinceMs),
    },
  };
}

function has(filter: string, ...texts: readonly string[]): boolean {
  return texts.some((text) => text.toLowerCase().includes(filter.toLowerCase()));
}

/** `resize-r3` is a revision of `resize`. */
function runningByFunction(agents: readonly AgentView[]): Map<string, number> {
  const running = new Map<string, number>();
  for (const { functions } of agents) {
    for (const each of functions) {
      const name = each.revisionId.replace(/-r\d+$/, "");
      running.set(name, (running.get(name) ?? 0) + each.running);
    }
  }
  return running;
}

function hostRows(agents: readonly AgentView[], sort: HostSort): readonly HostRow[] {
  const sites = Map.groupBy(agents, ({ siteId }) => siteId);
  return [...sites].toSorted(([a], [b]) => compare(a, b)).flatMap(([siteId, ofSite]) => [
    { kind: "site" as const, siteId, hosts: ofSite.length, ready: ofSite.filter(({ state }) => state === "ready").length, load: loadOf(ofSite) },
    ...ofSite.map((agent) => ({ kind: "host" as const, agent, state: agentState(agent), load: loadOf([agent]) })).toSorted(byHost(sort)),
  ]);
}

type OneHost = Extract<HostRow, { kind: "host" }>;

function byHost(sort: HostSort): (a: OneHost, b: OneHost) => number {
  const byName = (a: OneHost, b: OneHost) => compare(a.agent.agentId, b.agent.agentId);
  switch (sort) {
    case "name": return byName;
    case "running": return (a, b) => b.load.running - a.load.running || byName(a, b);
    case "memory": return (a, b) => shareOf(b.load) - shareOf(a.load) || byName(a, b);
    // What is wrong comes first.
    case "state": return (a, b) => Number(a.state === "ready") - Number(b.state === "ready") || compare(a.state, b.state) || byName(a, b);
  }
}

function byFunction(sort: FunctionSort): (a: FunctionRow, b: FunctionRow) => number {
  const byName = (a: FunctionRow, b: FunctionRow) => compare(a.name, b.name);
  switch (sort) {
    case "name": return byName;
    case "rate": return (a, b) => b.figures.perSecond - a.figures.perSecond || b.running - a.running || byName(a, b);
    case "failed": return (a, b) => b.figures.failed - a.figures.failed || byName(a, b);
    case "p99": return (a, b) => (b.figures.p99Ms ?? -1) - (a.figures.p99Ms ?? -1) || byName(a, b);
  }
}

/** Memory in use, of all there is: 0 to 1. */
export function shareOf({ memoryBytes, memoryUsedBytes }: Load): number {
  return memoryBytes <= 0 ? 0 : Math.min(1, Math.max(0, memoryUsedBytes / memoryBytes));
}

function loadOf(agents: readonly AgentView[]): Load {
  const load = { running: 0, idle: 0, held: 0, memoryBytes: 0, memoryUsedBytes: 0 };
  for (const { state, capacity } of agents) {
    // Nobody knows what one runs that is not heard.
    if (state === "lost" || state === "refused") continue;
    load.running += capacity.running;
    load.idle += capacity.idle;
    load.held += capacity.held;
    load.memoryBytes += capacity.memoryBytes;
    load.memoryUsedBytes += Math.max(0, capacity.memoryBytes - capacity.memoryFreeBytes);
  }
  return load;
}

/** By code points: the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
