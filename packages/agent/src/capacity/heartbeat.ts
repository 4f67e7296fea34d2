import type { AgentId, AgentState, Heartbeat, RevisionCapacity, SiteId } from "@longshore/protocol";
import type { Instance } from "../instances/instance.ts";
import type { PoolLimits } from "../instances/limits.ts";
import { presentCost, promisedCost } from "../instances/room.ts";

/** Who sends a heartbeat, and how it is. */
export interface HeartbeatOrigin {
  readonly agentId: AgentId;
  readonly siteId: SiteId;
  readonly incarnation: string;
  readonly sequence: number;
  readonly state: AgentState;
  readonly detail: string | undefined;
}

/** What a heartbeat tells of a pool. */
export interface PoolLoad {
  readonly instances: Iterable<Instance>;
  /** Invocations that were admitted and wait for an instance, by revision. */
  readonly waiting: Iterable<readonly [revisionDigest: string, waiters: number]>;
  readonly limits: PoolLimits;
  /** A function with fewer instances than that, none of them on its way, would be given one though none is free. */
  readonly cedesBelow: number;
  /** Idle, and yet not free to all: it was used a moment ago. */
  isWarm(instance: Instance): boolean;
}

/**
 * What an agent can take at this moment: what is held or idle can be ended for others, so it counts as free, unless it was used a moment ago. Named are the revisions of
 * its instances, and those of `presentRevisions`, whose image is there without any: one that is in no registry runs only where it is named.
 */
export function heartbeatOf(
  origin: HeartbeatOrigin,
  pool: PoolLoad,
  isImagePresent: (revisionDigest: string) => boolean,
  presentRevisions: Iterable<string> = [],
): Heartbeat {
  const { instances, waiting, limits } = pool;
  const revisions = new Map<string, Mutable<RevisionCapacity>>();
  const total = { running: 0, idle: 0, held: 0, bound: 0, boundBytes: 0 };
  for (const instance of instances) {
    count(instance, capacityOf(revisions, instance.revision.digest, isImagePresent), total);
    if ((instance.isIdle && !pool.isWarm(instance)) || instance.isHeldAside || instance.state.phase === "gone") continue;
    total.bound += 1;
    total.boundBytes += promisedCost(instance, limits) ?? presentCost(instance, limits) ?? 0;
  }
  for (const [revisionDigest, waiters] of waiting) {
    capacityOf(revisions, revisionDigest, isImagePresent).running += waiters;
    total.running += waiters;
  }
  for (const revisionDigest of presentRevisions) capacityOf(revisions, revisionDigest, isImagePresent);
  const { detail, ...identity } = origin;
  return {
    ...identity,
    ...(detail !== undefined && { detail: detail.slice(0, 512) }),
    memoryBytes: limits.memoryBytes,
    memoryFreeBytes: Math.max(0, limits.memoryBytes - total.boundBytes),
    instancesMax: limits.instancesMax,
    instancesFree: Math.max(0, limits.instancesMax - total.bound),
    cedesBelow: pool.cedesBelow,
    running: total.running,
    idle: total.idle,
    held: total.held,
    revisions: [...revisions.values()],
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function capacityOf(revisions: Map<string, Mutable<RevisionCapacity>>, revisionDigest: string, isImagePresent: (revisionDigest: string) => boolean): Mutable<RevisionCapacity> {
  let capacity = revisions.get(revisionDigest);
  if (capacity === undefined) {
    capacity = { revisionDigest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent: isImagePresent(revisionDigest) };
    revisions.set(revisionDigest, capacity);
  }
  return capacity;
}

function count(instance: Instance, capacity: Mutable<RevisionCapacity>, total: { running: number; idle: number; held: number }): void {
  const { state } = instance;
  if (state.phase === "gone") return;
  capacity.instances += 1;
  if (state.phase === "held" && instance.isHeldAside) {
    capacity.held += 1;
    total.held += 1;
  } else if (state.phase === "ready") {
    capacity.running += state.active;
    total.running += state.active;
    if (instance.isServing) capacity.freeSlots += instance.slots - state.active;
    if (instance.isIdle) total.idle += 1;
  } else if (state.phase !== "stopping") {
    capacity.starting += 1;
  }
}
