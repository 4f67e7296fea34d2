import type { Clock } from "../clock.ts";
import type { Instance } from "./instance.ts";
import type { Inventory } from "./inventory.ts";

const shortestIntervalMs = 50;

/** Ends what has been idle for long, again and again while anything is ready. */
export class IdleSweep {
  readonly #inventory: Inventory;
  readonly #clock: Clock;
  readonly #end: (instance: Instance) => void;
  #cancel: (() => void) | undefined;

  constructor(inventory: Inventory, clock: Clock, end: (instance: Instance) => void) {
    this.#inventory = inventory;
    this.#clock = clock;
    this.#end = end;
  }

  /** Something became ready. */
  start(): void {
    this.#cancel ??= this.#clock.after(Math.max(shortestIntervalMs, this.#inventory.limits.idleMs / 8), () => {
      this.#cancel = undefined;
      if (this.#sweep()) this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** True when there is something ready left. */
  #sweep(): boolean {
    const idleSinceMs = this.#clock.monotonicMs() - this.#inventory.limits.idleMs;
    let isAnyReady = false;
    for (const instance of this.#inventory.instances) {
      if (instance.state.phase !== "ready") continue;
      const group = this.#inventory.groupOf(instance.revision);
      if (instance.isIdle && instance.lastUsedMs <= idleSinceMs && group.servingCount() > group.minimum) this.#end(instance);
      else isAnyReady = true;
    }
    return isAnyReady;
  }
}
