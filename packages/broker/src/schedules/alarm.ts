import type { Clock } from "../clock.ts";
import { TimeHeap } from "../queue/time-heap.ts";

/** The clock of the day may be set while a timer runs, so that none runs for longer. */
const longestMs = 30_000;

/** Calls for each key at the earliest of the times that were set for it, by the clock of the day. */
export class Alarm {
  readonly #clock: Clock;
  readonly #ring: (key: string) => void;
  readonly #heap = new TimeHeap<string>();
  readonly #setMs = new Map<string, number>();
  #timer: { readonly atMs: number; cancel(): void } | undefined;

  constructor(clock: Clock, ring: (key: string) => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** No later than that (epoch milliseconds); an earlier time that was set stays. */
  set(key: string, atMs: number): void {
    if ((this.#setMs.get(key) ?? Infinity) <= atMs) return;
    this.#setMs.set(key, atMs);
    this.#heap.add(atMs, key);
    this.#arm();
  }

  close(): void {
    this.#setMs.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    const atMs = this.#heap.nextMs;
    if (atMs === undefined || this.#setMs.size === 0 || (this.#timer !== undefined && this.#timer.atMs <= atMs)) return;
    this.#timer?.cancel();
    const delayMs = Math.min(longestMs, Math.max(0, atMs - this.#clock.date().getTime()));
    this.#timer = { atMs, cancel: this.#clock.after(delayMs, () => this.#fire()) };
  }

  #fire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.date().getTime();
    for (let key = this.#heap.takeDue(nowMs); key !== undefined; key = this.#heap.takeDue(nowMs)) {
      // What was set earlier meanwhile has rung already.
      const setMs = this.#setMs.get(key);
      if (setMs === undefined || setMs > nowMs) continue;
      this.#setMs.delete(key);
      this.#ring(key);
    }
    this.#arm();
  }
}
