import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";
import type { RevisionGroup } from "./revision-group.ts";
import { fullCost, isNothing, promisedCost, type Usage } from "./room.ts";

/** What makes room for a function that has no instance where nothing is free. */
export interface Ceded {
  /** Without work: to be ended now. */
  readonly ended: readonly Instance[];
  /** To be ended once their work is done, and given no more. */
  readonly ceding: readonly Instance[];
}

/**
 * The last instance of a function that would be left when others are ended, and that was used a moment ago: it is kept from functions that have one of their own,
 * or one that floods the agent and one that is called now and then would take turns in ending each other's.
 */
export function isKept(instance: Instance, inventory: Inventory, nowMs: number): boolean {
  if (!instance.isIdle || !instance.hasServed || nowMs - instance.lastUsedMs >= inventory.limits.restMs) return false;
  const group = inventory.groupOf(instance.revision);
  const others = [...group.instances].filter((other) => other !== instance && (other.isServing || other.isComing));
  return !group.isRetired && others.every((other) => other.isIdle && (other.lastUsedMs < instance.lastUsedMs || (other.lastUsedMs === instance.lastUsedMs && other.instanceId < instance.instanceId)));
}

/**
 * Chooses what has to go for `wanted` once all that has no work is not enough: of functions with several instances, those with most of
 * them cede some, each the one with least work, and keep one at least. Undefined when even that would not do.
 */
export function chooseCeded(wanted: Usage, inventory: Inventory, isSpare: (instance: Instance) => boolean): Ceded | undefined {
  const ended = [...inventory.instances].filter((instance) => (instance.isHeldAside || instance.isIdle) && isSpare(instance));
  let missing = inventory.promiseShortfall(wanted);
  for (const instance of ended) missing = less(missing, promisedCost(instance, inventory.limits) ?? 0);
  const ceding = new Set<Instance>();
  while (!isNothing(missing)) {
    const instance = nextToCede(inventory, ceding);
    if (instance === undefined) return undefined;
    ceding.add(instance);
    missing = less(missing, fullCost(instance));
  }
  return { ended, ceding: [...ceding] };
}

/** How many of a function's instances could be ceded, besides those that are idle. */
export function cedableCount(group: RevisionGroup): number {
  return Math.max(0, Math.min(busyOf(group).length, group.servingCount() - Math.max(1, group.minimum)));
}

function nextToCede(inventory: Inventory, chosen: ReadonlySet<Instance>): Instance | undefined {
  let best: Instance | undefined;
  let most = 0;
  for (const group of inventory.groups) {
    const busy = busyOf(group).filter((instance) => !chosen.has(instance));
    const spare = cedableCount(group) - (busyOf(group).length - busy.length);
    if (spare <= most) continue;
    most = spare;
    best = busy.reduce((least, instance) => (activeOn(instance) < activeOn(least) ? instance : least));
  }
  return best;
}

function busyOf(group: RevisionGroup): Instance[] {
  return [...group.instances].filter((instance) => instance.isServing && !instance.isIdle);
}

function activeOn({ state }: Instance): number {
  return state.phase === "ready" ? state.active : 0;
}

function less(usage: Usage, memoryBytes: number): Usage {
  return { memoryBytes: usage.memoryBytes - memoryBytes, instances: usage.instances - 1 };
}
