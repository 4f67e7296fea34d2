import type { AgentAddress, Heartbeat, Introduction, Labels, RevisionCapacity } from "@longshore/protocol";
import type { Tier } from "../placement/tier.ts";
import { Incarnations } from "./incarnations.ts";
import type { JoinedAgent, JoinedSite } from "./joined.ts";

/**
 * Where an agent stands. `unknown`: heard, and not yet introduced. `refused`: it may not work here (revoked, a protocol too old, a
 * second process on one credential).
 */
export type Standing = "ready" | "draining" | "unhealthy" | "lost" | "refused" | "unknown";

/** What an agent has of one revision: by its last heartbeat, and by what this broker sent and saw end since. */
export interface RevisionShare {
  capacity: RevisionCapacity | undefined;
  /** Attempts this broker sent since the heartbeat, less those that ended since. */
  taken: number;
  /** Slots of instances that were begun since the heartbeat. */
  gained: number;
  /** The agent refused for want of a slot; stands until its next heartbeat. */
  isFull: boolean;
  /** Kept by the revision's index, where there is one. */
  tier: Tier;
}

/** A heartbeat without its revisions, which live in {@link AgentEntry.shares}. */
export type AgentCapacity = Omit<Heartbeat, "revisions">;

/** All that the roster knows of one agent. Mutable, and written by the roster alone, but for the counts of {@link RevisionShare}. */
export interface AgentEntry {
  readonly address: AgentAddress;
  joined: JoinedAgent | undefined;
  site: JoinedSite | undefined;
  introduction: Introduction | undefined;
  capacity: AgentCapacity | undefined;
  standing: Standing;
  /** Why it is refused or unhealthy, for people. */
  detail: string | undefined;
  /** Labels of its joining, and `host/…` facts of its own. */
  labels: Labels;
  readonly incarnations: Incarnations;
  lastHeardMs: number;
  lastHeardAt: Date | undefined;
  /** By revision digest. */
  readonly shares: Map<string, RevisionShare>;
  /** Attempts sent since the heartbeat, less those that ended since. */
  taken: number;
  /** Instances and memory that attempts sent since the heartbeat will want. */
  claimedInstances: number;
  claimedMemoryBytes: number;
}

/** An agent of which nothing is known but its name. */
export function createAgentEntry(address: AgentAddress): AgentEntry {
  return {
    address,
    joined: undefined,
    site: undefined,
    introduction: undefined,
    capacity: undefined,
    standing: "unknown",
    detail: undefined,
    labels: {},
    incarnations: new Incarnations(),
    lastHeardMs: Number.NEGATIVE_INFINITY,
    lastHeardAt: undefined,
    shares: new Map(),
    taken: 0,
    claimedInstances: 0,
    claimedMemoryBytes: 0,
  };
}

/** True when the agent may be given work: it is ready, and no operator took it out of placement. */
export function isPlaceable(agent: AgentEntry): boolean {
  return agent.standing === "ready" && agent.joined?.cordoned === false && agent.introduction !== undefined;
}

/** The agent's share of a revision, made when it has none yet. */
export function shareOf(agent: AgentEntry, digest: string): RevisionShare {
  let share = agent.shares.get(digest);
  if (share === undefined) {
    share = { capacity: undefined, taken: 0, gained: 0, isFull: false, tier: 0 };
    agent.shares.set(digest, share);
  }
  return share;
}
