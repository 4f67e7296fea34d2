import { chooseVictims } from "./choose-victims.ts";
import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";
import { isNothing, promisedCost, type Usage } from "./room.ts";

/**
 * The instances to end so that `wanted` can be promised; none when it fits as it is, undefined when it never would. Only what
 * `isSpare` says is ended, and never what has work.
 */
export function victimsFor(wanted: Usage, inventory: Inventory, isSpare: (instance: Instance) => boolean): Instance[] | undefined {
  const missing = inventory.promiseShortfall(wanted);
  if (isNothing(missing)) return [];
  const candidates = [...inventory.instances]
    .filter((instance) => (instance.isHeldAside || instance.isIdle) && isSpare(instance)) // P4
    .map((instance) => ({
      instance,
      memoryBytes: promisedCost(instance, inventory.limits) ?? 0,
      lastUsedMs: inventory.groupOf(instance.revision).lastUsedMs,
    }));
  return chooseVictims(candidates, missing)?.map(({ instance }) => instance);
}
