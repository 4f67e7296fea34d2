import type { Clock } from "../clock.ts";
import type { InstancePool } from "./pool.ts";

/** Empties a pool, with time for what has work. */
export class PoolDrain {
  readonly #pool: Pick<InstancePool, "drain" | "endAll" | "resume">;
  readonly #clock: Clock;
  #underWay: AbortController | undefined;

  constructor(pool: Pick<InstancePool, "drain" | "endAll" | "resume">, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /**
   * Takes nothing new and ends what is unused; what has work may finish within `deadlineMs`, and is ended then. Resolves once nothing is
   * left, or when the drain is undone. A drain that follows another takes its place: its time counts.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#underWay?.abort();
    const underWay = (this.#underWay = new AbortController());
    const emptied = this.#pool.drain();
    const cancel = this.#clock.after(deadlineMs, () => this.#pool.endAll());
    await new Promise<void>((resolve) => {
      underWay.signal.addEventListener("abort", () => resolve(), { once: true });
      void emptied.then(resolve);
    });
    cancel();
  }

  /** Undoes it: what has work goes on, and new work comes. */
  resume(): void {
    this.#underWay?.abort();
    this.#pool.resume();
  }
}
