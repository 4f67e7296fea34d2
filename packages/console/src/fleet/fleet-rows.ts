import type { AgentView } from "@longshore/sdk";
import { type HostState, stateOf } from "./fleet-store.ts";
import { type Totals, totalsOf } from "./totals.ts";

/** What of a fleet a person wants to see. */
export interface FleetQuery {
  /** Words that all must be found in a host's name, site, state, labels or functions. */
  readonly text: string;
  readonly state: HostState | undefined;
  readonly site: string | undefined;
  /** Sites whose hosts are folded away. */
  readonly folded: ReadonlySet<string>;
}

/** A line of the fleet's list. */
export type FleetRow =
  | { readonly kind: "site"; readonly siteId: string; readonly totals: Totals; readonly isFolded: boolean }
  | { readonly kind: "host"; readonly agent: AgentView };

/** The list's lines: each site with those of its hosts that are wanted, sites without any left out. `agents` are in order of their sites. */
export function rowsOf(agents: readonly AgentView[], query: FleetQuery): readonly FleetRow[] {
  const rows: FleetRow[] = [];
  const words = query.text.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const wanted = agents.filter((agent) => isWanted(agent, query, words));
  for (let from = 0; from < wanted.length; ) {
    const siteId = wanted[from]?.siteId ?? "";
    let until = from;
    while (wanted[until]?.siteId === siteId) until += 1;
    const hosts = wanted.slice(from, until);
    const isFolded = query.folded.has(siteId);
    rows.push({ kind: "site", siteId, totals: totalsOf(hosts), isFolded });
    if (!isFolded) for (const agent of hosts) rows.push({ kind: "host", agent });
    from = until;
  }
  return rows;
}

function isWanted(agent: AgentView, { state, site }: FleetQuery, words: readonly string[]): boolean {
  if (state !== undefined && stateOf(agent) !== state) return false;
  if (site !== undefined && agent.siteId !== site) return false;
  return words.length === 0 || words.every((word) => has(agent, word));
}

function has(agent: AgentView, word: string): boolean {
  if (agent.agentId.includes(word) || agent.siteId.includes(word) || stateOf(agent).includes(word)) return true;
  if (agent.introduction?.hostName.toLowerCase().includes(word) === true) return true;
  for (const [key, value] of Object.entries(agent.labels)) if (`${key}=${value}`.toLowerCase().includes(word)) return true;
  return agent.functions.some(({ revisionId }) => revisionId.includes(word));
}
