import type { AgentEntry } from "../roster/agent-entry.ts";
import type { AgentClass } from "./agent-class.ts";
import type { Candidate } from "./choose-placement.ts";
import type { IndexedSet } from "./indexed-set.ts";
import type { RevisionIndex } from "./revision-index.ts";
import { type Tier, tiers } from "./tier.ts";

/** A candidate with its agent. */
export interface AgentCandidate extends Candidate {
  readonly agent: AgentEntry;
}

/** How many agents one decision looks at in each tier: sets up to that size wholly, larger ones by random picks. */
const maxLooks = 48;
/** Enough to choose two of. */
const maxCandidates = 8;

/** A few agents of the best tier that can serve now; cost is bounded whatever the fleet's size. */
export function shortlist(index: RevisionIndex, agents: AgentClass, excluded: ReadonlySet<AgentEntry> | undefined, random: () => number): readonly AgentCandidate[] {
  const lookAmongHaving = (tier: Tier) => {
    const having = index.at(tier);
    const source = having.size <= agents.members.size ? having : agents.members;
    return look(source, random, (agent) => agents.members.has(agent) && having.has(agent) && excluded?.has(agent) !== true, tier);
  };
  for (const tier of [tiers.warm, tiers.held, tiers.present]) {
    const found = lookAmongHaving(tier);
    if (found.length > 0) return found;
  }
  const found = look(agents.open, random, (agent) => index.tierOf(agent) === tiers.room && excluded?.has(agent) !== true, tiers.room);
  return found.length > 0 ? found : lookAmongHaving(tiers.ceded);
}

function look(source: IndexedSet<AgentEntry>, random: () => number, isFit: (agent: AgentEntry) => boolean, tier: Tier): AgentCandidate[] {
  const found: AgentCandidate[] = [];
  const isSmall = source.size <= maxLooks;
  const looks = isSmall ? source.size : maxLooks;
  for (let at = 0; at < looks && (isSmall || found.length < maxCandidates); at += 1) {
    const agent = source.at(isSmall ? at : Math.floor(random() * source.size));
    if (agent !== undefined && isFit(agent)) found.push({ agent, tier, load: loadOf(agent) });
  }
  return found;
}

/** Invocations under way in parts of what the agent can hold of instances. */
function loadOf(agent: AgentEntry): number {
  return ((agent.capacity?.running ?? 0) + agent.taken) / Math.max(1, agent.capacity?.instancesMax ?? 1);
}
