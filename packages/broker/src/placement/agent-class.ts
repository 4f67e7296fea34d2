import type { AgentEntry } from "../roster/agent-entry.ts";
import { isPlaceable } from "../roster/agent-entry.ts";
import { IndexedSet } from "./indexed-set.ts";
import { firstUnmet, type Requirement } from "./requirement.ts";

/** The agents that meet one requirement and may be given work now, and those of them that have room for another instance. */
export class AgentClass {
  readonly requirement: Requirement;
  readonly members = new IndexedSet<AgentEntry>();
  readonly open = new IndexedSet<AgentEntry>();
  /** When it was last asked for, in the order of asking. */
  lastUsed = 0;

  constructor(requirement: Requirement, agents: Iterable<AgentEntry>) {
    this.requirement = requirement;
    for (const agent of agents) this.refresh(agent);
  }

  /** An agent's standing, labels or site changed. */
  refresh(agent: AgentEntry): void {
    if (isPlaceable(agent) && firstUnmet(this.requirement, agent) === undefined) {
      this.members.add(agent);
      this.refreshRoom(agent);
    } else {
      this.forget(agent);
    }
  }

  /** An agent's room changed between none and some. */
  refreshRoom(agent: AgentEntry): void {
    if (hasRoom(agent) && this.members.has(agent)) this.open.add(agent);
    else this.open.delete(agent);
  }

  forget(agent: AgentEntry): void {
    this.members.delete(agent);
    this.open.delete(agent);
  }
}

/** True while another instance, of whatever size, may fit. */
export function hasRoom(agent: AgentEntry): boolean {
  return agent.capacity !== undefined && agent.capacity.instancesFree - agent.claimedInstances > 0 && agent.capacity.memoryFreeBytes > agent.claimedMemoryBytes;
}
