import type { Revision } from "@longshore/protocol";
import type { Instance } from "./instance.ts";
import type { SlotWaiter } from "./lease.ts";

const firstRetryMs = 500;
const longestRetryMs = 30_000;

/** The instances of one revision on this agent, and who waits for one of them. */
export class RevisionGroup {
  readonly revision: Revision;
  readonly instances = new Set<Instance>();
  /** First come, first served. */
  readonly waiters: SlotWaiter[] = [];
  /** How many instances to keep held; 0: the revision is served when it is called, and nothing is kept ready for it. */
  heldWanted = 0;
  /** How many instances are kept begun, whether they are used or not: this agent's share of the function's minimum. */
  minimum = 0;
  /** No longer current: nothing of it is kept once it has no work. */
  isRetired = false;
  lastUsedMs: number;
  /** Making one ahead of need is not tried before this, after it failed. */
  refillAtMs = 0;
  #failures = 0;

  constructor(revision: Revision, nowMs: number) {
    this.revision = revision;
    this.lastUsedMs = nowMs;
  }

  /** Nothing would be lost by forgetting it. */
  get isUnused(): boolean {
    return this.instances.size === 0 && this.waiters.length === 0 && this.heldWanted === 0 && this.minimum === 0;
  }

  /** The ready instance with most room for one more invocation. */
  freeInstance(): Instance | undefined {
    let best: Instance | undefined;
    let least = Infinity;
    for (const instance of this.instances) {
      const { state } = instance;
      if (state.phase !== "ready" || !instance.hasFreeSlot || state.active >= least) continue;
      best = instance;
      least = state.active;
    }
    return best;
  }

  /** Slots of instances that are on their way to those who wait. */
  comingSlots(): number {
    let slots = 0;
    for (const instance of this.instances) if (instance.isComing) slots += instance.slots;
    return slots;
  }

  /** Instances whose program runs or soon will, those that are ending included. */
  begunCount(): number {
    return this.#count((instance) => instance.hasBegun || instance.isComing);
  }

  /** Instances that serve or soon will, and go on to. */
  servingCount(): number {
    return this.#count(({ isServing, isComing }) => isComing || isServing);
  }

  /** Instances held, or being made to be. */
  heldCount(): number {
    return this.#count((instance) => instance.isHeldAside);
  }

  /** An instance to begin for whoever waits, rather than to make one: held, or nearly. */
  heldInstance(): Instance | undefined {
    let nearly: Instance | undefined;
    for (const instance of this.instances) {
      if (!instance.isHeldAside) continue;
      if (instance.state.phase === "held") return instance;
      nearly ??= instance;
    }
    return nearly;
  }

  /** Making an instance failed: the next try ahead of need waits, longer each time until one serves. */
  failed(nowMs: number): void {
    this.refillAtMs = nowMs + Math.min(longestRetryMs, firstRetryMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 16);
  }

  /** A held one ended by itself; one that had been held for long was no failure of its making. */
  failedToHold(nowMs: number, heldMs: number): void {
    if (heldMs > longestRetryMs) this.worked();
    this.failed(nowMs);
  }

  worked(): void {
    this.#failures = 0;
  }

  #count(wanted: (instance: Instance) => boolean): number {
    let count = 0;
    for (const instance of this.instances) if (wanted(instance)) count += 1;
    return count;
  }
}
