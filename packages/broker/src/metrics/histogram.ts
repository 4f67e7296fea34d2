import type { Distribution } from "./family.ts";

/** Upper bounds of every histogram of durations, seconds: from what a warm call takes on one machine to the longest that a caller waits by default. */
export const boundsSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;

/** Counts durations by the bounds that they stay within. */
export class Histogram {
  readonly #counts = boundsSeconds.map(() => 0);
  #count = 0;
  #sum = 0;

  /** Takes one in. */
  observe(durationMs: number): void {
    const seconds = durationMs / 1000;
    this.#sum += seconds;
    this.#count += 1;
    let bucket = 0;
    while (seconds > (boundsSeconds[bucket] ?? Infinity)) bucket += 1;
    if (bucket < boundsSeconds.length) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  get distribution(): Distribution {
    return { bounds: boundsSeconds, counts: this.#counts, count: this.#count, sum: this.#sum };
  }
}
