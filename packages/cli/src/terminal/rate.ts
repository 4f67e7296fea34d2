/** Tells how fast something that only grows has grown lately. */
export interface Rate {
  /** Takes the amount so far and returns it per second over the last moments; undefined while there is too little to tell by. */
  readonly add: (amount: number, atMs: number) => number | undefined;
}

const windowMs = 5_000;
const leastMs = 300;

/** A rate over the last five seconds. */
export function createRate(): Rate {
  let samples: { readonly amount: number; readonly atMs: number }[] = [];
  return {
    add(amount, atMs) {
      const isAnew = amount < (samples.at(-1)?.amount ?? 0);
      if (isAnew) samples = [];
      samples.push({ amount, atMs });
      while (samples.length > 2 && (samples[0]?.atMs ?? atMs) < atMs - windowMs) samples.shift();
      const first = samples[0] ?? { amount, atMs };
      const passedMs = atMs - first.atMs;
      return passedMs < leastMs ? undefined : ((amount - first.amount) * 1000) / passedMs;
    },
  };
}
