import type { InstanceId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { chooseCeded, isWarm, warmForTaking } from "./ceding.ts";
import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";
import type { RevisionGroup } from "./revision-group.ts";
import { fullCost, type Usage } from "./room.ts";
import { victimsFor } from "./room-making.ts";

/** What is done about what was promised. */
export interface PromisesOwner {
  readonly newInstanceId: () => InstanceId;
  end(instance: Instance): void;
  /** It is to be begun in its turn. */
  promised(instance: Instance): void;
}

/**
 * Promises functions one more instance to serve with, and makes the room for it. Who promises does not begin: the room may be what an ending one
 * still takes.
 *
 * Of the invariants of the pool, P1, P4 and P5 are kept here.
 */
export class Promises {
  readonly #inventory: Inventory;
  readonly #clock: Clock;
  readonly #owner: PromisesOwner;

  constructor(inventory: Inventory, clock: Clock, owner: PromisesOwner) {
    this.#inventory = inventory;
    this.#clock = clock;
    this.#owner = owner;
  }

  /** To those who wait: a held one if there is one; false when there is no room for it. */
  one(group: RevisionGroup): boolean {
    const held = group.heldInstance();
    // Idle ones of its own would have been given out.
    return this.#promise(group, held, (instance) => instance !== held && !isWarm(instance, this.#inventory, this.#clock.monotonicMs()));
  }

  /** At the cost of functions that have more of them, one at a time: what is warm is ended, what has work once that is done. */
  oneCeded(group: RevisionGroup): boolean {
    if (group.comingSlots() > 0 || !mayBeginAnother(group)) return false;
    const held = group.heldInstance();
    const nowMs = this.#clock.monotonicMs();
    const takeable = warmForTaking(group, this.#inventory, nowMs);
    const isSpare = (instance: Instance) => instance !== held && (!isWarm(instance, this.#inventory, nowMs) || takeable.has(instance));
    if (this.#promise(group, held, isSpare)) return true;
    const ceded = chooseCeded(this.#wantedFor(group, held), group, this.#inventory, nowMs, isSpare)
    if (ceded === undefined) return false;
    for (const instance of ceded.ended) this.#owner.end(instance);
    for (const instance of ceded.ceding) instance.isCeding = true; // P5
    return this.#promise(group, held, () => false);
  }

  /** Ahead of need: ends nothing that has begun. */
  oneAhead(group: RevisionGroup): boolean {
    const held = group.heldInstance();
    return this.#promise(group, held, (instance) => instance !== held && instance.isHeldAside);
  }

  #promise(group: RevisionGroup, held: Instance | undefined, isSpare: (instance: Instance) => boolean): boolean {
    if (!mayBeginAnother(group)) return false;
    const victims = victimsFor(this.#wantedFor(group, held), this.#inventory, isSpare);
    if (victims === undefined) return false; // P1
    for (const victim of victims) this.#owner.end(victim);
    const instance = held ?? this.#inventory.add(group, this.#owner.newInstanceId(), "serve");
    instance.purpose = "serve";
    instance.promisedMs = this.#clock.monotonicMs();
    instance.startKind = held?.state.phase === "held" ? "held" : "cold";
    this.#owner.promised(instance);
    return true;
  }

  /** What one more instance of it takes, on top of what its held one has been promised. */
  #wantedFor(group: RevisionGroup, held: Instance | undefined): Usage {
    return held === undefined ? { memoryBytes: fullCost(group), instances: 1 } : { memoryBytes: fullCost(group) - this.#inventory.limits.heldCostBytes, instances: 0 };
  }
}

function mayBeginAnother(group: RevisionGroup): boolean {
  return group.begunCount() < (group.revision.spec.maxInstancesPerAgent ?? Infinity);
}
