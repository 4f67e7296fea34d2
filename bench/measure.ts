/** Figures of one thing measured several times, all in the same unit. */
export interface Sample {
  readonly values: readonly number[];
}

/** The value at a fraction (0.5: the median) of the sorted values. */
export function quantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Milliseconds that one run of `work` takes. */
export async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/**
 * Measures several things in turns, so that a noisy machine disturbs all alike: A B C A B C … Each entry returns its own figure
 * (milliseconds, or whatever unit the bench speaks in); `rounds` figures each come back.
 */
export async function interleave<Name extends string>(rounds: number, things: Record<Name, () => Promise<number>>): Promise<Record<Name, number[]>> {
  const names = Object.keys(things) as Name[];
  const figures = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? names : [...names].reverse();
    for (const name of order) figures[name].push(await things[name]());
  }
  return figures;
}

/** Keeps `inFlight` calls under way until `total` have ended; returns calls per second. */
export async function callsPerSecond(total: number, inFlight: number, call: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let begun = 0;
  const lane = async () => {
    while (begun < total) {
      begun += 1;
      await call();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return total / ((performance.now() - start) / 1000);
}
