import type { Tallies } from "./step-counter.ts";
import { mergeTallies, type Tally } from "./tally.ts";

/** Several brokers', or several steps', tallies as one; of the functions that are wanted. */
export function mergeSteps(all: readonly Tallies[], isWanted: (key: string) => boolean = () => true): Tallies {
  const [only] = all;
  const byKey = new Map<string, Tally[]>();
  for (const tallies of all) {
    for (const [key, tally] of tallies) {
      if (!isWanted(key)) continue;
      const same = byKey.get(key);
      if (same === undefined) byKey.set(key, [tally]);
      else same.push(tally);
    }
  }
  if (all.length === 1 && only !== undefined && byKey.size === only.size) return only;
  return new Map([...byKey].map(([key, same]) => [key, same.length === 1 && same[0] !== undefined ? same[0] : mergeTallies(same)]));
}
