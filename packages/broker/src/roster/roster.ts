import type { AgentAddress, AgentId, Heartbeat, Introduction } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { hasRoom } from "../placement/agent-class.ts";
import { Placement } from "../placement/placement.ts";
import { type AgentEntry, createAgentEntry } from "./agent-entry.ts";
import { clampHeartbeat } from "./clamp-heartbeat.ts";
import { FloodGuard } from "./flood-guard.ts";
import type { Joined } from "./joined.ts";
import { standingOf } from "./standing.ts";

/** An agent is lost after three missed heartbeats of 5 s. */
export const lostAfterMs = 15_000;
/** A broker asks an agent it does not know to introduce itself at most that often. */
const introduceEveryMs = 2_000;

/** A broker that starts waits that long for its agents. */
const settleMs = 1_000;

/** What the roster tells others, each as it happens. */
export interface RosterEvents {
  /** Standing, labels or introduction changed. */
  changed?(agent: AgentEntry): void;
  /** A heartbeat came. */
  heard?(agent: AgentEntry): void;
  /** A process of the agent is not heard any more; what it ran is lost. */
  lost?(agent: AgentEntry, incarnation: string): void;
  /** A process of the agent was heard for the first time: it knows nothing of what an earlier one was told. */
  arrived?(agent: AgentEntry): void;
  /** The agent is no longer joined and not heard. */
  gone?(agent: AgentEntry): void;
}

export interface RosterOptions {
  readonly joined: Joined;
  readonly clock: Clock;
  /** Asks an agent to introduce itself; resolves when it was asked, rejects when it is not there. */
  readonly introduce: (agent: AgentAddress) => Promise<unknown>;
  readonly random?: () => number;
}

/**
 * The agents of the fleet and when each was last heard.
 *
 * Invariants: R1 an agent that identity does not know may be heard and is never placeable. R2 a heartbeat that is older than one
 * that was taken changes nothing. R3 every process of an agent that was heard is told lost once, at most `lostAfterMs` after it was last heard.
 */
export class Roster {
  readonly placement: Placement;
  readonly #options: RosterOptions;
  readonly #agents = new Map<AgentId, AgentEntry>();
  /** Sorted when it is asked for after one came or went. */
  #byName: readonly AgentEntry[] | undefined;
  readonly #handingOver = new Set<AgentEntry>();
  /** Agents that were heard and have not been told lost since, the longest silent first. */
  readonly #speaking = new Set<AgentEntry>();
  readonly #observers: RosterEvents[] = [];
  readonly #floods = new FloodGuard();
  readonly #askedAtMs = new Map<AgentId, number>();
  readonly #whenHeard = new Map<AgentEntry, () => void>();
  #cancelTimer: (() => void) | undefined;
  /** Messages dropped: late, doubled, too many, or from a site that is not the agent's. */
  ignoredCount = 0;

  constructor(options: RosterOptions) {
    this.#options = options;
    this.placement = new Placement({ agents: () => this.#agents.values() }, options.random);
    options.joined.onChange((agentId) => this.#joinedChanged(agentId));
  }

  /** Takes up every joined agent and asks each to introduce itself; resolves once those that are there have been heard, or after a moment. */
  async start(): Promise<void> {
    for (const { agentId } of this.#options.joined.agents()) this.#joinedChanged(agentId);
    const settled = Promise.all([...this.#agents.values()].map((agent) => this.#settle(agent)));
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(settleMs, resolve);
    await Promise.race([settled, promise]);
    cancel();
    this.#whenHeard.clear();
  }

  /** Resolves when the agent has been heard after it was asked, or is not there. */
  async #settle(agent: AgentEntry): Promise<void> {
    const heard = new Promise<void>((resolve) => this.#whenHeard.set(agent, resolve));
    const asked = this.#ask(agent);
    await asked?.then(() => heard, () => undefined);
  }

  close(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  observe(events: RosterEvents): void {
    this.#observers.push(events);
  }

  get(agentId: AgentId): AgentEntry | undefined {
    return this.#agents.get(agentId);
  }

  agents(): Iterable<AgentEntry> {
    return this.#agents.values();
  }

  /** Every agent in order of names. */
  byName(): readonly AgentEntry[] {
    return (this.#byName ??= [...this.#agents.values()].sort((a, b) => (a.address.agentId < b.address.agentId ? -1 : 1)));
  }

  /** True for an agent heard within the time it may be silent. */
  isHeard(agent: AgentEntry): boolean {
    return this.#options.clock.nowMs() - agent.lastHeardMs < lostAfterMs;
  }

  introduction(from: AgentAddress, introduction: Introduction): void {
    const agent = this.#speaker(from);
    if (agent === undefined || !this.#isSpeaking(agent, introduction.incarnation, false)) return;
    agent.introduction = introduction;
    this.#touch(agent);
    this.#refresh(agent, true);
  }

  heartbeat(from: AgentAddress, stated: Heartbeat): void {
    const agent = this.#speaker(from);
    if (agent === undefined || !this.#isSpeaking(agent, stated.incarnation, stated.state === "draining")) return;
    if (agent.capacity !== undefined && stated.sequence <= agent.capacity.sequence) return this.#ignore(); // R2
    this.#takeCapacity(agent, clampHeartbeat(stated));
    this.#touch(agent);
    this.#refresh(agent, false);
    if (agent.introduction?.incarnation !== stated.incarnation) this.#ask(agent)?.catch(() => undefined);
    this.#whenHeard.get(agent)?.();
    for (const observer of this.#observers) observer.heard?.(agent);
  }

  #ignore(): undefined {
    this.ignoredCount += 1;
  }

  /** Who speaks; undefined when it says too much, or joined at another site than it speaks from. */
  #speaker(from: AgentAddress): AgentEntry | undefined {
    const known = this.#agents.get(from.agentId);
    const isAtHome = known?.joined !== undefined && known.joined.siteId === known.address.siteId;
    if (isAtHome && known.address.siteId !== from.siteId) return this.#ignore();
    if (!this.#floods.admit(from.agentId, this.#options.clock.nowMs())) return this.#ignore();
    return this.#entryOf(from);
  }

  #entryOf(address: AgentAddress): AgentEntry {
    const known = this.#agents.get(address.agentId);
    if (known !== undefined && known.address.siteId === address.siteId) return known;
    if (known !== undefined) this.#drop(known); // It joined again, at another site.
    const agent = createAgentEntry(address);
    agent.joined = this.#options.joined.agent(address.agentId);
    agent.site = this.#options.joined.site(address.siteId);
    this.#agents.set(address.agentId, agent);
    this.#byName = undefined;
    return agent;
  }

  /** False when the message is of a process that another has replaced. */
  #isSpeaking(agent: AgentEntry, incarnation: string, isDraining: boolean): boolean {
    const nowMs = this.#options.clock.nowMs();
    const speaker = agent.incarnations.heard(incarnation, isDraining, nowMs);
    if (speaker === "replaced") {
      this.#refresh(agent, false);
      return false;
    }
    if (speaker === "new") this.#replace(agent, incarnation, nowMs);
    return true;
  }

  #replace(agent: AgentEntry, incarnation: string, nowMs: number): void {
    const before = { lastHeardMs: agent.lastHeardMs, isDraining: agent.standing === "draining" };
    agent.incarnations.replace(incarnation, before, nowMs);
    if (agent.incarnations.isHandingOver) this.#handingOver.add(agent);
    agent.introduction = undefined;
    agent.capacity = undefined;
    this.#forgetShares(agent, new Set());
    for (const observer of this.#observers) observer.arrived?.(agent);
  }

  #takeCapacity(agent: AgentEntry, heartbeat: Heartbeat): void {
    const { revisions, ...capacity } = heartbeat;
    const hadRoom = hasRoom(agent);
    agent.capacity = capacity;
    agent.taken = 0;
    agent.claimedInstances = 0;
    agent.claimedMemoryBytes = 0;
    if (hasRoom(agent) !== hadRoom) this.placement.roomChanged(agent);
    for (const revision of revisions) {
      const digest = revision.revisionDigest;
      const share = agent.shares.get(digest);
      if (share === undefined) agent.shares.set(digest, { capacity: revision, taken: 0, gained: 0, isFull: false, tier: 0 });
      else Object.assign(share, { capacity: revision, taken: 0, gained: 0, isFull: false });
      this.placement.shareChanged(agent, digest);
    }
    if (agent.shares.size > revisions.length) this.#forgetShares(agent, new Set(revisions.map(({ revisionDigest }) => revisionDigest)));
  }

  #forgetShares(agent: AgentEntry, kept: ReadonlySet<string>): void {
    for (const digest of [...agent.shares.keys()]) {
      if (kept.has(digest)) continue;
      this.placement.shareGone(agent, digest);
      agent.shares.delete(digest);
    }
  }

  #touch(agent: AgentEntry): void {
    agent.lastHeardMs = this.#options.clock.nowMs();
    agent.lastHeardAt = this.#options.clock.date();
    this.#speaking.delete(agent);
    this.#speaking.add(agent);
    if (this.#cancelTimer === undefined) this.#arm(lostAfterMs);
  }

  /** Works out the agent's standing anew; tells placement and observers when something changed. */
  #refresh(agent: AgentEntry, isForced: boolean): void {
    const { standing, detail } = standingOf(agent, this.isHeard(agent));
    const hasChanged = standing !== agent.standing || detail !== agent.detail;
    agent.standing = standing;
    agent.detail = detail;
    if (!hasChanged && !isForced) return;
    agent.labels = { ...ownFacts(agent.introduction), ...agent.joined?.labels };
    this.placement.agentChanged(agent);
    for (const observer of this.#observers) observer.changed?.(agent);
  }

  #joinedChanged(agentId: AgentId | undefined): void {
    if (agentId === undefined) return this.#sitesChanged();
    const joined = this.#options.joined.agent(agentId);
    const agent = joined === undefined ? this.#agents.get(agentId) : this.#entryOf({ siteId: joined.siteId, agentId });
    if (agent === undefined) return;
    agent.joined = joined;
    agent.site = this.#options.joined.site(agent.address.siteId);
    if (joined === undefined && !this.isHeard(agent)) this.#drop(agent);
    else this.#refresh(agent, true);
  }

  #sitesChanged(): void {
    for (const agent of this.#agents.values()) {
      const site = this.#options.joined.site(agent.address.siteId);
      if (site === agent.site) continue;
      agent.site = site;
      this.#refresh(agent, true);
    }
  }

  #drop(agent: AgentEntry): void {
    this.#agents.delete(agent.address.agentId);
    this.#byName = undefined;
    this.#handingOver.delete(agent);
    this.#askedAtMs.delete(agent.address.agentId);
    this.#floods.forget(agent.address.agentId);
    this.placement.agentGone(agent);
    this.#tellLost(agent, agent.incarnations.takeSilent(Number.POSITIVE_INFINITY));
    if (this.#speaking.delete(agent)) this.#tellCurrentLost(agent);
    for (const observer of this.#observers) observer.gone?.(agent);
  }

  #ask(agent: AgentEntry): Promise<unknown> | undefined {
    const { agentId } = agent.address;
    const nowMs = this.#options.clock.nowMs();
    if (agent.joined === undefined || nowMs - (this.#askedAtMs.get(agentId) ?? Number.NEGATIVE_INFINITY) < introduceEveryMs) return undefined;
    this.#askedAtMs.set(agentId, nowMs);
    return this.#options.introduce(agent.address);
  }

  #arm(delayMs: number): void {
    this.#cancelTimer = this.#options.clock.after(delayMs, () => this.#sweep());
  }

  /** Finds who has fallen silent, and comes back when the next one could have. */
  #sweep(): void {
    const silentSinceMs = this.#options.clock.nowMs() - lostAfterMs;
    for (const agent of this.#handingOver) {
      this.#tellLost(agent, agent.incarnations.takeSilent(silentSinceMs));
      if (!agent.incarnations.isHandingOver) this.#handingOver.delete(agent);
      this.#refresh(agent, false);
    }
    let nextMs = this.#handingOver.size > 0 ? 250 : lostAfterMs;
    for (const agent of this.#speaking) {
      if (agent.lastHeardMs > silentSinceMs) {
        nextMs = Math.min(nextMs, agent.lastHeardMs - silentSinceMs);
        break;
      }
      this.#fallSilent(agent);
    }
    this.#arm(nextMs);
  }

  #fallSilent(agent: AgentEntry): void {
    if (agent.joined === undefined) return this.#drop(agent);
    this.#speaking.delete(agent);
    this.#refresh(agent, false);
    this.#tellCurrentLost(agent); // R3
  }

  #tellCurrentLost(agent: AgentEntry): void {
    const { current } = agent.incarnations;
    if (current !== undefined) this.#tellLost(agent, [current]);
  }

  #tellLost(agent: AgentEntry, incarnations: readonly string[]): void {
    for (const incarnation of incarnations) for (const observer of this.#observers) observer.lost?.(agent, incarnation);
  }
}

/** What the agent says of its host: facts under `host/…` and nothing else. */
function ownFacts(introduction: Introduction | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(introduction?.hostLabels ?? {}).filter(([key]) => key.startsWith("host/")));
}
