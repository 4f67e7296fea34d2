import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { fullCost, presentCost } from "./room.ts";
import type { StartGate } from "./start-gate.ts";

/** What a start queue asks of whoever promised the starts. */
export interface StartQueueOwner {
  /** Somebody still waits for it, or it is to be kept begun. */
  isNeeded(instance: Instance): boolean;
  /** Nobody waits for it any more. */
  setAside(instance: Instance): void;
  readonly gate: Pick<StartGate, "mayBegin">;
}

/** Starts that were promised: begun in the order they were promised, each as soon as what it needs is free, as fast as processors take it. */
export class StartQueue {
  readonly #inventory: Inventory;
  readonly #lifecycle: Lifecycle;
  readonly #owner: StartQueueOwner;
  /** An instance stays in it while its container is being made, and keeps its turn. */
  readonly #waiting = new Set<Instance>();
  #isAtIt = false;

  constructor(inventory: Inventory, lifecycle: Lifecycle, owner: StartQueueOwner) {
    this.#inventory = inventory;
    this.#lifecycle = lifecycle;
    this.#owner = owner;
  }

  add(instance: Instance): void {
    this.#waiting.add(instance);
  }

  delete(instance: Instance): void {
    this.#waiting.delete(instance);
  }

  /** Begins what can be begun by now. What comes later does not overtake what lacks room, so that a large one gets its turn. */
  beginWhatFits(): void {
    if (this.#isAtIt) return; // What began was ready at once, and led here again.
    this.#isAtIt = true;
    try {
      this.#beginInTurn();
    } finally {
      this.#isAtIt = false;
    }
  }

  #beginInTurn(): void {
    for (const instance of this.#waiting) {
      const { phase } = instance.state;
      if (phase !== "preparing" && phase !== "held") this.#waiting.delete(instance);
      else if (instance.isUnderWay) continue;
      else if (!this.#owner.isNeeded(instance)) this.#setAside(instance);
      else if (!this.#hasRoom(instance)) return;
      else if (phase === "preparing" && this.#inventory.underWay() >= this.#inventory.limits.preparingMax) continue;
      else if (!this.#owner.gate.mayBegin(this.#inventory.beginning())) return;
      else this.#begin(instance);
    }
  }

  #setAside(instance: Instance): void {
    this.#waiting.delete(instance);
    this.#owner.setAside(instance);
  }

  #hasRoom(instance: Instance): boolean {
    const present = presentCost(instance, this.#inventory.limits);
    return this.#inventory.isFree({ memoryBytes: fullCost(instance) - (present ?? 0), instances: present === undefined ? 1 : 0 });
  }

  #begin(instance: Instance): void {
    if (instance.state.phase === "held") {
      this.#waiting.delete(instance);
      this.#lifecycle.begin(instance);
    } else {
      this.#lifecycle.prepare(instance);
    }
  }
}
