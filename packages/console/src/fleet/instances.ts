import type { AgentView } from "@longshore/sdk";

/** What instances do, and for how many there is room. */
export interface Instances {
  /** With work, or on their way into or out of it. */
  readonly busy: number;
  readonly idle: number;
  readonly held: number;
  /** About so many such as these fit, those that are there included: as memory goes, and never more than a host may have. */
  readonly room: number;
}

/** Where nothing runs, room is told in instances of this size: a function's by default. */
const usualBytes = 256 * 2 ** 20;

/** A host's instances. What is idle or held can end for others: its memory counts as free, and it counts here all the same. */
export function instancesOf({ capacity, functions }: Pick<AgentView, "capacity" | "functions">): Instances {
  const { idle, held, instancesMax, instancesFree, memoryBytes, memoryFreeBytes } = capacity;
  let count = 0;
  for (const { instances } of functions) count += instances;
  const promised = Math.max(0, instancesMax - instancesFree);
  const busy = Math.max(0, count - idle - held);
  const promisedBytes = memoryBytes - memoryFreeBytes;
  const eachBytes = promised > 0 && promisedBytes > 0 ? promisedBytes / promised : usualBytes;
  return { busy, idle, held, room: Math.max(busy + idle + held, Math.min(instancesMax, Math.floor(memoryBytes / eachBytes))) };
}

/** A host on which a function has instances. */
export interface Place {
  readonly agentId: string;
  readonly siteId: string;
  readonly running: number;
  readonly instances: number;
  readonly held: number;
}

/** Where a function has instances, of whichever revision; where most run comes first. */
export function placesOf(agents: Iterable<Pick<AgentView, "agentId" | "siteId" | "functions">>, functionName: string): readonly Place[] {
  const places: Place[] = [];
  for (const { agentId, siteId, functions } of agents) {
    let [running, instances, held] = [0, 0, 0];
    for (const each of functions) {
      if (functionOf(each.revisionId) !== functionName) continue;
      running += each.running;
      instances += each.instances;
      held += each.held;
    }
    if (instances > 0) places.push({ agentId, siteId, running, instances, held });
  }
  return places.sort((a, b) => b.running - a.running || b.instances - a.instances);
}

/** The function that a revision is of. */
export function functionOf(revisionId: string): string {
  return revisionId.replace(/-r\d+$/, "");
}
