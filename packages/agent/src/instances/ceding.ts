import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";
import type { RevisionGroup } from "./revision-group.ts";
import { fullCost, isNothing, promisedCost, type Usage } from "./room.ts";

/** What makes room for one more instance of a function where nothing is free. */
export interface Ceded {
  /** Without work: to be ended now. */
  readonly ended: readonly Instance[];
  /** To be ended once their work is done, and given no more. */
  readonly ceding: readonly Instance[];
}

/**
 * Idle, and used a moment ago: its function is likely to want it again at once, so that it is not free to all. Or one function that floods
 * the agent and one that is called now and then would take turns in ending each other's.
 */
export function isWarm(instance: Instance, inventory: Inventory, nowMs: number): boolean {
  return instance.isIdle && instance.hasServed && nowMs - instance.lastUsedMs < inventory.limits.restMs && !inventory.groupOf(instance.revision).isRetired;
}

/** A function with none may have one of any other's; one with some, of those that have at least two more. */
export function mayTake(taker: RevisionGroup, giver: RevisionGroup): boolean {
  const takers = taker.servingCount();
  const left = giver.servingCount() - 1;
  return taker !== giver && (takers === 0 || left > takers) && left >= giver.minimum;
}

/**
 * Functions with fewer instances than that would be given one though none is free: what {@link mayTake} comes to, for those who see the agent from
 * afar. `isSpare` are instances that are idle and not free to all.
 */
export function cedesBelow(groups: Iterable<RevisionGroup>, isSpare: (instance: Instance) => boolean): number {
  let below = 0;
  for (const group of groups) {
    const left = group.servingCount() - 1;
    if (left < group.minimum) continue;
    const hasOneToGive = left > 0 || [...group.instances].some(isSpare);
    below = Math.max(below, left, hasOneToGive ? 1 : 0);
  }
  return below;
}

/**
 * Chooses what has to go for `wanted` once all that has no work is not enough: of functions with several instances, those with most of
 * them cede some, each the one with least work, and keep one at least. Undefined when even that would not do.
 */
export function chooseCeded(wanted: Usage, taker: RevisionGroup, inventory: Inventory, isSpare: (instance: Instance) => boolean): Ceded | undefined {
  const ended = [...inventory.instances].filter((instance) => (instance.isHeldAside || instance.isIdle) && isSpare(instance));
  let missing = inventory.promiseShortfall(wanted);
  for (const instance of ended) missing = less(missing, promisedCost(instance, inventory.limits) ?? 0);
  const ceding = new Set<Instance>();
  while (!isNothing(missing)) {
    const instance = nextToCede(taker, inventory, ceding);
    if (instance === undefined) return undefined;
    ceding.add(instance);
    missing = less(missing, fullCost(instance));
  }
  return { ended, ceding: [...ceding] };
}

/** The instance with least work of the function that has most of them, and one more at least. */
function nextToCede(taker: RevisionGroup, inventory: Inventory, chosen: ReadonlySet<Instance>): Instance | undefined {
  let best: Instance | undefined;
  let most = Math.max(1, taker.servingCount() + 1);
  for (const group of inventory.groups) {
    const busy = [...group.instances].filter((instance) => instance.isServing && !instance.isIdle);
    const left = group.servingCount() - busy.filter((instance) => chosen.has(instance)).length;
    const choice = busy.filter((instance) => !chosen.has(instance));
    if (choice.length === 0 || left <= Math.max(most, group.minimum) || !mayTake(taker, group)) continue;
    most = left;
    best = choice.reduce((least, instance) => (activeOn(instance) < activeOn(least) ? instance : least));
  }
  return best;
}

function activeOn({ state }: Instance): number {
  return state.phase === "ready" ? state.active : 0;
}

function less(usage: Usage, memoryBytes: number): Usage {
  return { memoryBytes: usage.memoryBytes - memoryBytes, instances: usage.instances - 1 };
}
