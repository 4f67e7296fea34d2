import type { LongshoreError, Revision, Where } from "@longshore/protocol";
import { type AgentEntry, shareOf } from "../roster/agent-entry.ts";
import { AgentClass, hasRoom } from "./agent-class.ts";
import { choosePlacement } from "./choose-placement.ts";
import { explainFullDisk, explainLocalImage, explainNoAgent } from "./explain.ts";
import { placementKey, requirementKey, requirementsOf, type Requirement } from "./requirement.ts";
import { RevisionIndex } from "./revision-index.ts";
import { shortlist } from "./shortlist.ts";
import { demandOf, tiers } from "./tier.ts";

/** An agent; or `full`: some may run it and none can now; or `exhausted`: all that may were excluded; or why none may. */
export type Choice = AgentEntry | "full" | "exhausted" | LongshoreError;

/** What placement needs of the roster. */
export interface Fleet {
  agents(): Iterable<AgentEntry>;
}

/** Requirements kept as classes; the least recently used goes first. Each costs a look at every agent when it is made. */
const maxClasses = 1024;

/**
 * Binds attempts to agents.
 *
 * Invariants: P1 an agent that does not meet the requirement, or may not be given work, is never chosen. P2 the cost of a choice, of
 * a heartbeat and of an attempt's end does not grow with the fleet. P3 what this broker sent since an agent's last heartbeat counts.
 */
export class Placement {
  readonly #fleet: Fleet;
  readonly #random: () => number;
  readonly #classes = new Map<string, AgentClass>();
  readonly #levels = new Map<string, readonly AgentClass[]>();
  readonly #indexes = new Map<string, RevisionIndex>();
  #uses = 0;

  constructor(fleet: Fleet, random: () => number = Math.random) {
    this.#fleet = fleet;
    this.#random = random;
  }

  /** Where an invocation should go now. */
  choose(revision: Revision, where: Where, excluded?: ReadonlySet<AgentEntry>): Choice {
    const index = this.#indexOf(revision);
    const levels = this.#levelsOf(revision, where);
    for (const agents of levels) {
      const candidate = choosePlacement(shortlist(index, agents, excluded, this.#random), this.#random);
      if (candidate !== undefined) return candidate.agent;
    }
    const widest = levels.at(-1);
    if (widest !== undefined && widest.members.size > 0) return countIn(widest, excluded) === widest.members.size ? "exhausted" : "full";
    const requirement = requirementsOf(revision, where).at(-1);
    if (requirement === undefined) throw new RangeError("there is always a last requirement");
    return explainNoAgent(`"${revision.functionName}"`, requirement, this.#fleet.agents());
  }

  /** Why an invocation that waited found no place: no slot, unless its image is nowhere and cannot be brought. */
  explainFull(revision: Revision, where: Where): LongshoreError | undefined {
    if (!revision.image.local) return this.#explainDisk(revision, where);
    const members = [...(this.#levelsOf(revision, where).at(-1)?.members ?? [])];
    const isSomewhere = members.some((agent) => agent.shares.get(revision.digest)?.capacity?.imagePresent === true);
    return isSomewhere ? undefined : explainLocalImage(`"${revision.functionName}"`, revision.image.reference);
  }

  /** Ends at the first agent that could: usually the first of all. */
  #explainDisk(revision: Revision, where: Where): LongshoreError | undefined {
    for (const agent of this.#levelsOf(revision, where).at(-1)?.members ?? []) {
      if (agent.capacity?.disk?.pressure !== true || agent.shares.get(revision.digest)?.capacity?.imagePresent === true) return undefined;
    }
    return explainFullDisk(`"${revision.functionName}"`);
  }

  /** The agents that may run something, whatever their load. */
  eligible(requirement: Requirement): Iterable<AgentEntry> {
    return this.#classOf(requirement).members;
  }

  /** An attempt goes out to an agent. */
  took(agent: AgentEntry, revision: Revision): void {
    const index = this.#indexOf(revision);
    const share = shareOf(agent, revision.digest);
    if (share.tier < tiers.held) this.#claim(agent, index);
    share.taken += 1;
    agent.taken += 1;
    index.refresh(agent, share);
  }

  /** It ended. `beganInstance`: it was served by an instance begun for it, which has slots now. */
  released(agent: AgentEntry, revision: Revision, beganInstance: boolean): void {
    const share = agent.shares.get(revision.digest);
    agent.taken -= 1;
    if (share === undefined) return;
    share.taken -= 1;
    share.isFull = false;
    if (beganInstance) share.gained = Math.max(share.gained, revision.spec.concurrency);
    this.#indexes.get(revision.digest)?.refresh(agent, share);
  }

  /** The agent refused for want of a slot: not again before its next heartbeat. */
  wasFull(agent: AgentEntry, revision: Revision): void {
    const share = shareOf(agent, revision.digest);
    share.isFull = true;
    this.#indexes.get(revision.digest)?.refresh(agent, share);
  }

  /** The agent's standing, labels or site changed, or it is new. */
  agentChanged(agent: AgentEntry): void {
    for (const agents of this.#classes.values()) agents.refresh(agent);
  }

  /** The agent left the roster. */
  agentGone(agent: AgentEntry): void {
    for (const agents of this.#classes.values()) agents.forget(agent);
    for (const [digest, share] of agent.shares) this.#indexes.get(digest)?.forget(agent, share);
  }

  /** A heartbeat changed the agent's room from none to some, or back. */
  roomChanged(agent: AgentEntry): void {
    for (const agents of this.#classes.values()) agents.refreshRoom(agent);
  }

  /** A heartbeat said what the agent has of a revision. */
  shareChanged(agent: AgentEntry, digest: string): void {
    const share = agent.shares.get(digest);
    if (share !== undefined) this.#indexes.get(digest)?.refresh(agent, share);
  }

  /** The agent no longer has anything of a revision; call before its share is dropped. */
  shareGone(agent: AgentEntry, digest: string): void {
    const share = agent.shares.get(digest);
    if (share !== undefined) this.#indexes.get(digest)?.forget(agent, share);
  }

  /** A revision is no longer current. */
  forgetRevision(digest: string): void {
    this.#indexes.delete(digest);
    this.#levels.clear();
  }

  #claim(agent: AgentEntry, { demand }: RevisionIndex): void {
    const had = hasRoom(agent);
    agent.claimedInstances += 1 / demand.concurrency;
    agent.claimedMemoryBytes += demand.memoryBytes / demand.concurrency;
    if (had && !hasRoom(agent)) this.roomChanged(agent);
  }

  #indexOf(revision: Revision): RevisionIndex {
    let index = this.#indexes.get(revision.digest);
    if (index === undefined) {
      index = new RevisionIndex(revision.digest, demandOf(revision), this.#fleet.agents());
      this.#indexes.set(revision.digest, index);
    }
    return index;
  }

  #levelsOf(revision: Revision, where: Where): readonly AgentClass[] {
    const key = placementKey(revision, where);
    let levels = this.#levels.get(key);
    if (levels === undefined) {
      levels = requirementsOf(revision, where).map((requirement) => this.#classOf(requirement));
      if (this.#levels.size >= maxClasses) this.#levels.clear();
      this.#levels.set(key, levels);
    }
    for (const agents of levels) agents.lastUsed = ++this.#uses;
    return levels;
  }

  #classOf(requirement: Requirement): AgentClass {
    const key = requirementKey(requirement);
    let agents = this.#classes.get(key);
    if (agents === undefined) {
      if (this.#classes.size >= maxClasses) this.#evict();
      agents = new AgentClass(requirement, this.#fleet.agents());
      this.#classes.set(key, agents);
    }
    agents.lastUsed = ++this.#uses;
    return agents;
  }

  /** Drops the older half of the classes: one sort for many evictions. */
  #evict(): void {
    const oldest = [...this.#classes].sort(([, a], [, b]) => a.lastUsed - b.lastUsed).slice(0, maxClasses / 2);
    for (const [key] of oldest) this.#classes.delete(key);
    this.#levels.clear();
  }
}

function countIn({ members }: AgentClass, agents: ReadonlySet<AgentEntry> | undefined): number {
  let count = 0;
  for (const agent of agents ?? []) if (members.has(agent)) count += 1;
  return count;
}
