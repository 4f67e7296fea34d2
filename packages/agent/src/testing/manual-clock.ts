import type { Clock } from "../clock.ts";

interface Waiting {
  readonly atMs: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it; timers fire in order of time, then of setting. */
export class ManualClock implements Clock {
  readonly #beginningMs: number;
  readonly #waiting = new Set<Waiting>();
  #nowMs = 0;

  constructor(beginningMs = Date.UTC(2026, 10, 25)) {
    this.#beginningMs = beginningMs;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#beginningMs + this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const waiting = { atMs: this.#nowMs + Math.max(0, delayMs), callback };
    this.#waiting.add(waiting);
    return () => {
      this.#waiting.delete(waiting);
    };
  }

  /** Timers set and not yet fired or cancelled. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Moves on, firing what falls due on the way. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs;
    for (let next = this.#next(endMs); next !== undefined; next = this.#next(endMs)) {
      this.#waiting.delete(next);
      this.#nowMs = next.atMs;
      next.callback();
    }
    this.#nowMs = endMs;
  }

  #next(endMs: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.atMs <= endMs && (first === undefined || waiting.atMs < first.atMs)) first = waiting;
    }
    return first;
  }
}
