import type { InvocationRecord } from "@longshore/protocol";
import { bucketCount, bucketOf, bucketsOf } from "./duration-histogram.ts";
import type { Tally } from "./tally.ts";

/** What is counted of an invocation that ended. */
export type Ended = Pick<InvocationRecord, "functionName" | "result" | "start">;

/** The tallies of a step, by {@link tallyKey}. */
export type Tallies = ReadonlyMap<string, Tally>;

/** Functions of different tenants have nothing in common but, maybe, a name. */
export const tallyKey = (tenantId: string, functionName: string) => `${tenantId}/${functionName}`;

/** A broker counts so many functions in a step, of all tenants; what ends of further ones is left out of the history, and that is counted. */
export const maxFunctionsPerStep = 500;

interface Counts {
  readonly outcomes: Tally["outcomes"];
  readonly starts: Tally["starts"];
  durations: Uint32Array | undefined;
  maxMs: number;
}

/** Counts what ends, until it is emptied: one look-up and a few increments for each. */
export class StepCounter {
  readonly #isKnown: (tenantId: string, functionName: string) => boolean;
  #counts = new Map<string, Counts>();
  #leftOut = 0;

  /** `isKnown`: whether there is such a function; what callers merely name is not counted. */
  constructor(isKnown: (tenantId: string, functionName: string) => boolean) {
    this.#isKnown = isKnown;
  }

  /** How many invocations were left out since the broker began. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Counts one; with its duration where its caller waited for it. */
  ended(tenantId: string, { functionName, result, start }: Ended, durationMs?: number): void {
    const counts = this.#countsOf(tenantId, functionName);
    if (counts === undefined) return;
    counts.outcomes[result.outcome] = (counts.outcomes[result.outcome] ?? 0) + 1;
    if (start !== undefined) counts.starts[start] = (counts.starts[start] ?? 0) + 1;
    if (durationMs === undefined) return;
    const durations = (counts.durations ??= new Uint32Array(bucketCount));
    const bucket = bucketOf(durationMs);
    durations[bucket] = (durations[bucket] ?? 0) + 1;
    if (durationMs > counts.maxMs) counts.maxMs = durationMs;
  }

  /** What was counted since it was emptied last. */
  empty(): Tallies {
    const tallies = new Map<string, Tally>();
    for (const [key, { outcomes, starts, durations, maxMs }] of this.#counts) {
      tallies.set(key, { outcomes, starts, ...(durations !== undefined && { durations: { buckets: bucketsOf(durations), maxMs } }) });
    }
    this.#counts = new Map();
    return tallies;
  }

  #countsOf(tenantId: string, functionName: string): Counts | undefined {
    const key = tallyKey(tenantId, functionName);
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    if (!this.#isKnown(tenantId, functionName)) return undefined;
    if (this.#counts.size >= maxFunctionsPerStep) {
      this.#leftOut += 1;
      return undefined;
    }
    const counts: Counts = { outcomes: {}, starts: {}, durations: undefined, maxMs: 0 };
    this.#counts.set(key, counts);
    return counts;
  }
}
