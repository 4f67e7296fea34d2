import type { Instance } from "./instance.ts";
import type { PoolLimits } from "./limits.ts";

/** Memory and containers, taken or wanted. */
export interface Usage {
  readonly memoryBytes: number;
  readonly instances: number;
}

/** What an instance takes once its program has begun. */
export function fullCost(instance: Pick<Instance, "revision">): number {
  return instance.revision.spec.memoryBytes;
}

/**
 * What is promised: what is there or will be, without what is leaving. Admission is decided by it, so that two starts never count on
 * the same room.
 */
export function promisedUsage(instances: Iterable<Instance>, limits: PoolLimits): Usage {
  return sum(instances, (instance) => promisedCost(instance, limits));
}

/** What one instance has been promised; undefined once it is leaving, or its room has been promised to another. */
export function promisedCost(instance: Instance, limits: PoolLimits): number | undefined {
  const { phase } = instance.state;
  if (phase === "stopping" || phase === "gone" || instance.isCeding) return undefined;
  return instance.isHeldAside ? limits.heldCostBytes : fullCost(instance);
}

/** What is taken at this moment, by what is leaving too. A start waits until it fits into what is left. */
export function presentUsage(instances: Iterable<Instance>, limits: PoolLimits): Usage {
  return sum(instances, (instance) => presentCost(instance, limits));
}

/** What one instance takes at this moment; undefined when nothing of it exists. */
export function presentCost(instance: Instance, limits: PoolLimits): number | undefined {
  const { state } = instance;
  switch (state.phase) {
    case "preparing":
      if (instance.madeFor === undefined) return undefined;
      return instance.madeFor === "serve" ? fullCost(instance) : limits.heldCostBytes;
    case "held":
      return limits.heldCostBytes;
    case "starting":
    case "ready":
      return fullCost(instance);
    case "stopping":
      return state.hadBegun ? fullCost(instance) : limits.heldCostBytes;
    case "gone":
      return undefined;
  }
}

/** What `wanted` exceeds the limits by, on top of `used`; nothing when it fits. */
export function shortfall(used: Usage, wanted: Usage, limits: PoolLimits): Usage {
  return {
    memoryBytes: Math.max(0, used.memoryBytes + wanted.memoryBytes - limits.memoryBytes),
    instances: Math.max(0, used.instances + wanted.instances - limits.instancesMax),
  };
}

export function isNothing(usage: Usage): boolean {
  return usage.memoryBytes <= 0 && usage.instances <= 0;
}

function sum(instances: Iterable<Instance>, costOf: (instance: Instance) => number | undefined): Usage {
  let memoryBytes = 0;
  let count = 0;
  for (const instance of instances) {
    const cost = costOf(instance);
    if (cost === undefined) continue;
    memoryBytes += cost;
    count += 1;
  }
  return { memoryBytes, instances: count };
}
