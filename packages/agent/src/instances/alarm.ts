import type { Clock } from "../clock.ts";

/** One callback at the earliest of the times that were asked for. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: () => void;
  #pending: { readonly atMs: number; readonly cancel: () => void } | undefined;

  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Rings in that many milliseconds at the latest. */
  within(delayMs: number): void {
    const atMs = this.#clock.monotonicMs() + delayMs;
    if (this.#pending !== undefined && this.#pending.atMs <= atMs) return;
    this.#pending?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#pending = undefined;
      this.#ring();
    });
    this.#pending = { atMs, cancel };
  }

  cancel(): void {
    this.#pending?.cancel();
    this.#pending = undefined;
  }
}
