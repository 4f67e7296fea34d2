import type { Heartbeat, RevisionCapacity } from "@longshore/protocol";

/** More than any host holds; whoever states more is taken at this. */
const maxInstances = 10_000;
const maxSlotsPerInstance = 1_000;
const maxMemoryBytes = 2 ** 46;

/** What an agent states of itself, brought within what can be: an advisory figure must not draw all work to one host. */
export function clampHeartbeat(heartbeat: Heartbeat): Heartbeat {
  const instancesMax = Math.min(heartbeat.instancesMax, maxInstances);
  const memoryBytes = Math.min(heartbeat.memoryBytes, maxMemoryBytes);
  return {
    ...heartbeat,
    instancesMax,
    instancesFree: Math.min(heartbeat.instancesFree, instancesMax),
    cedesBelow: Math.min(heartbeat.cedesBelow, instancesMax),
    memoryBytes,
    memoryFreeBytes: Math.min(heartbeat.memoryFreeBytes, memoryBytes),
    running: Math.min(heartbeat.running, maxInstances * maxSlotsPerInstance),
    idle: Math.min(heartbeat.idle, maxInstances),
    held: Math.min(heartbeat.held, maxInstances),
    revisions: heartbeat.revisions.map(clampShare),
  };
}

function clampShare(share: RevisionCapacity): RevisionCapacity {
  const instances = Math.min(share.instances, maxInstances);
  return {
    ...share,
    instances,
    held: Math.min(share.held, maxInstances),
    starting: Math.min(share.starting, maxInstances),
    freeSlots: Math.min(share.freeSlots, instances * maxSlotsPerInstance),
    running: Math.min(share.running, maxInstances * maxSlotsPerInstance),
  };
}
