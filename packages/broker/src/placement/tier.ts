import type { Revision, RevisionCapacity } from "@longshore/protocol";
import type { AgentEntry, RevisionShare } from "../roster/agent-entry.ts";

/** How soon an agent could serve one more invocation of a revision; the higher the better. */
export const tiers = { none: 0, ceded: 1, room: 2, present: 3, held: 4, warm: 5 } as const;
export type Tier = (typeof tiers)[keyof typeof tiers];

/** What one more instance of a revision takes. */
export interface Demand {
  readonly concurrency: number;
  readonly memoryBytes: number;
  readonly maxInstances: number;
  /** The image is in no registry: it can run only where it is. */
  readonly local: boolean;
}

/** The demand of a revision's instances. */
export function demandOf({ spec, image }: Revision): Demand {
  return {
    concurrency: spec.concurrency,
    memoryBytes: spec.memoryBytes,
    maxInstances: spec.maxInstancesPerAgent ?? Number.POSITIVE_INFINITY,
    local: image.local,
  };
}

/**
 * The tier of an agent for a revision, by its heartbeat and what was sent there since. `warm`: a slot is free on an instance that
 * runs; `held`: on one that is held or being started; `present`: one more could be started and the image is there; `room`: the
 * image would have to be pulled first, and there is disk for it; `ceded`: nothing is free, and another function, which has
 * more, would end one of its instances for it.
 */
export function tierOf(demand: Demand, agent: AgentEntry, share: RevisionShare | undefined): Tier {
  if (share?.isFull === true) return tiers.none;
  const taken = share?.taken ?? 0;
  const warm = (share?.capacity?.freeSlots ?? 0) + (share?.gained ?? 0);
  if (warm - taken >= 1) return tiers.warm;
  if (warm + comingSlots(demand, share) - taken >= 1) return tiers.held;
  if (startableSlots(demand, agent, share) < 1) return isCeded(demand, agent, share) ? tiers.ceded : tiers.none;
  if (share?.capacity?.imagePresent === true) return tiers.present;
  return demand.local || agent.capacity?.disk?.pressure === true ? tiers.none : tiers.room;
}

/** None of it is on its way, its image is there, and others have more instances. One is asked for at a time. */
function isCeded({ maxInstances }: Demand, agent: AgentEntry, share: RevisionShare | undefined): boolean {
  const { capacity, taken = 0 } = share ?? {};
  if (capacity?.imagePresent !== true || taken > 0 || capacity.starting > 0 || agent.claimedInstances > 0) return false;
  const begun = begunInstances(capacity);
  return begun < maxInstances && begun < (agent.capacity?.cedesBelow ?? 0);
}

/** Free slots of instances that are being started, and of held ones as far as they may be begun. */
function comingSlots({ concurrency, maxInstances }: Demand, share: RevisionShare | undefined): number {
  const capacity = share?.capacity;
  if (capacity === undefined) return 0;
  const begun = begunInstances(capacity);
  const runningOnBegun = begun * concurrency - capacity.freeSlots;
  const waitingForStart = Math.max(0, capacity.running - runningOnBegun);
  const held = Math.min(capacity.held, Math.max(0, maxInstances - begun - capacity.starting));
  return Math.max(0, capacity.starting * concurrency - waitingForStart) + held * concurrency;
}

/** Instances whose program runs. */
function begunInstances({ instances, held, starting }: RevisionCapacity): number {
  return Math.max(0, instances - held - starting);
}

/** Slots of instances that could still be started. */
function startableSlots(demand: Demand, agent: AgentEntry, share: RevisionShare | undefined): number {
  const room = agent.capacity;
  if (room === undefined) return 0;
  const begun = share?.capacity === undefined ? 0 : begunInstances(share.capacity) + share.capacity.starting;
  const instances = Math.min(
    room.instancesFree - agent.claimedInstances,
    (room.memoryFreeBytes - agent.claimedMemoryBytes) / demand.memoryBytes,
    demand.maxInstances - begun,
  );
  // A sum of fractions of instances: a hair under one slot is one.
  return instances * demand.concurrency + 1e-9;
}
