import type { AgentEntry, RevisionShare } from "../roster/agent-entry.ts";
import { IndexedSet } from "./indexed-set.ts";
import { type Demand, type Tier, tierOf, tiers } from "./tier.ts";

/**
 * The agents that have something of one revision, by tier. It keeps {@link RevisionShare.tier}, so that an event costs the same
 * whatever the size of the fleet.
 */
export class RevisionIndex {
  readonly demand: Demand;
  readonly #digest: string;
  readonly #byTier: readonly IndexedSet<AgentEntry>[] = Object.values(tiers).map(() => new IndexedSet());

  constructor(digest: string, demand: Demand, agents: Iterable<AgentEntry>) {
    this.#digest = digest;
    this.demand = demand;
    for (const agent of agents) {
      const share = agent.shares.get(digest);
      if (share === undefined) continue;
      share.tier = tiers.none;
      this.refresh(agent, share);
    }
  }

  /** Agents of a tier that are known to have something of the revision. */
  at(tier: Tier): IndexedSet<AgentEntry> {
    const set = this.#byTier[tier];
    if (set === undefined) throw new RangeError("no such tier");
    return set;
  }

  /** What the agent has changed, or what was sent there. */
  refresh(agent: AgentEntry, share: RevisionShare): void {
    const tier = tierOf(this.demand, agent, share);
    if (tier !== share.tier) this.at(share.tier).delete(agent);
    share.tier = tier;
    if (tier !== tiers.none) this.at(tier).add(agent);
  }

  /** The agent has nothing of the revision any more, or is gone. */
  forget(agent: AgentEntry, share: RevisionShare): void {
    this.at(share.tier).delete(agent);
    share.tier = tiers.none;
  }

  /** The tier of an agent that may have nothing of the revision. */
  tierOf(agent: AgentEntry): Tier {
    const share = agent.shares.get(this.#digest);
    return share === undefined ? tierOf(this.demand, agent, undefined) : share.tier;
  }
}
