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

/** A turn is so many times what the start took, so that starts take the smaller part of an agent's time however many functions want its room. */
const turnPerStart = 3;
const [shortestTurnMs, longestTurnMs] = [1_000, 10_000];
/** A function that wants nothing for that long, or for as long as its start took, has had its turn. */
const [shortestPauseMs, longestPauseMs] = [250, 2_000];

/** How long the last instance of a function is still its own, though it is idle and a function with none wants its room: functions that are more than fit would otherwise end each other's after each invocation. */
export function turnLeftMs(instance: Instance, nowMs: number): number {
  const { state } = instance;
  if (state.phase !== "ready" || !instance.isServing) return 0;
  const startMs = state.sinceMs - instance.promisedMs;
  const turnMs = within(turnPerStart * startMs, shortestTurnMs, longestTurnMs);
  const pauseMs = within(startMs, shortestPauseMs, longestPauseMs);
  return Math.max(0, Math.min(state.sinceMs + turnMs, instance.lastUsedMs + pauseMs) - nowMs);
}

const within = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);

function isInTurn(group: RevisionGroup, nowMs: number): boolean {
  return [...group.instances].some((instance) => turnLeftMs(instance, nowMs) > 0);
}

/** How many instances a function is left with at least when another takes from it: one with none may have the last one once that had its turn, one with some none that would leave the giver fewer than itself. */
function leastLeft(taker: RevisionGroup, giver: RevisionGroup, nowMs: number): number {
  const takers = taker.servingCount();
  const own = isInTurn(giver, nowMs) ? 1 : 0;
  return Math.max(takers === 0 ? own : takers + 1, giver.minimum);
}

/** The warm instances that a function may have of others, of each function those used longest ago. */
export function warmForTaking(taker: RevisionGroup, inventory: Inventory, nowMs: number): Set<Instance> {
  const takeable = new Set<Instance>();
  for (const group of inventory.groups) {
    if (group === taker) continue;
    const warm = [...group.instances].filter((instance) => isWarm(instance, inventory, nowMs)).sort((a, b) => a.lastUsedMs - b.lastUsedMs);
    for (const instance of warm.slice(0, Math.max(0, group.servingCount() - leastLeft(taker, group, nowMs)))) takeable.add(instance);
  }
  return takeable;
}

/** Functions with fewer instances than that would be given one though none is free: what {@link leastLeft} comes to, for those who see the agent from afar. */
export function cedesBelow(inventory: Inventory, nowMs: number): number {
  let below = 0;
  for (const group of inventory.groups) {
    const left = group.servingCount() - 1;
    if (left < group.minimum) continue;
    const hasOneToGive = left > 0 || (!isInTurn(group, nowMs) && [...group.instances].some((instance) => isWarm(instance, inventory, nowMs)));
    below = Math.max(below, left, hasOneToGive ? 1 : 0);
  }
  return below;
}

/**
 * Chooses what has to go for `wanted` once all that has no work is not enough: of functions with several instances, those with most of
 * them cede some, each the one with least work, and keep one at least. Undefined when even that would not do.
 */
export function chooseCeded(wanted: Usage, taker: RevisionGroup, inventory: Inventory, nowMs: number, isSpare: (instance: Instance) => boolean): Ceded | undefined {
  const ended = [...inventory.instances].filter((instance) => (instance.isHeldAside || instance.isIdle) && isSpare(instance));
  let missing = inventory.promiseShortfall(wanted);
  for (const instance of ended) missing = less(missing, promisedCost(instance, inventory.limits) ?? 0);
  const leaving = new Set(ended);
  const ceding: Instance[] = [];
  while (!isNothing(missing)) {
    const instance = nextToCede(taker, inventory, nowMs, leaving);
    if (instance === undefined) return undefined;
    ceding.push(instance);
    leaving.add(instance);
    missing = less(missing, fullCost(instance));
  }
  return { ended, ceding };
}

/** The instance with least work of the function that is left with most of them. */
function nextToCede(taker: RevisionGroup, inventory: Inventory, nowMs: number, leaving: ReadonlySet<Instance>): Instance | undefined {
  let best: Instance | undefined;
  let most = 1; // What has work is never the last one of its function.
  for (const group of inventory.groups) {
    const serving = [...group.instances].filter((instance) => instance.isServing && !leaving.has(instance));
    const left = group.servingCount() - [...group.instances].filter((instance) => instance.isServing && leaving.has(instance)).length;
    const busy = serving.filter((instance) => !instance.isIdle);
    if (group === taker || busy.length === 0 || left <= Math.max(most, leastLeft(taker, group, nowMs))) continue;
    most = left;
    best = busy.reduce((least, instance) => (activeOn(instance) < activeOn(least) ? instance : least));
  }
  return best;
}

function activeOn({ state }: Instance): number {
  return state.phase === "ready" ? state.active : 0;
}

function less(usage: Usage, memoryBytes: number): Usage {
  return { memoryBytes: usage.memoryBytes - memoryBytes, instances: usage.instances - 1 };
}
