import type { Clock } from "../clock.ts";
import { turnLeftMs } from "./ceding.ts";
import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";

/** Tells when an idle instance has had its turn: from then on others may have its room, and nothing else happens by which they would hear of it. */
export class TurnWatch {
  readonly #inventory: Inventory;
  readonly #clock: Clock;
  readonly #over: () => void;
  #cancel: (() => void) | undefined;

  constructor(inventory: Inventory, clock: Clock, over: () => void) {
    this.#inventory = inventory;
    this.#clock = clock;
    this.#over = over;
  }

  /** An instance has no work any more. */
  idle(instance: Instance): void {
    if (this.#cancel === undefined) this.#wait(turnLeftMs(instance, this.#clock.monotonicMs()));
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #wait(leftMs: number): void {
    if (leftMs <= 0) return;
    this.#cancel = this.#clock.after(leftMs, () => {
      this.#cancel = undefined;
      this.#over();
      this.#wait(this.#nextMs());
    });
  }

  /** Until the next turn of an idle one is over; 0: there is none. */
  #nextMs(): number {
    const nowMs = this.#clock.monotonicMs();
    let nextMs = 0;
    for (const instance of this.#inventory.instances) {
      const leftMs = instance.isIdle ? turnLeftMs(instance, nowMs) : 0;
      if (leftMs > 0 && (nextMs === 0 || leftMs < nextMs)) nextMs = leftMs;
    }
    return nextMs;
  }
}
