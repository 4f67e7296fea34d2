import type { HistoryPoint } from "@longshore/protocol";
import type { InvocationRecord } from "@longshore/sdk";

/** As fine as a broker keeps history. */
export const liveStepMs = 10_000;
const stepsKept = 360;
/** Of each step so many durations are kept, chosen so that each has the same chance. */
const sampled = 256;

interface Step {
  readonly atMs: number;
  readonly outcomes: Record<string, number>;
  readonly starts: Record<string, number>;
  readonly durations: number[];
  durationCount: number;
  maxMs: number;
}

/** What became of each function's invocations since the page began to watch, in steps of {@link liveStepMs}, for the last hour. */
export class LiveHistory {
  readonly #steps = new Map<string, Step[]>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  take(record: InvocationRecord): void {
    const step = this.#step(record.functionName, Date.parse(record.finishedAt));
    const { outcome } = record.result;
    step.outcomes[outcome] = (step.outcomes[outcome] ?? 0) + 1;
    if (record.start !== undefined) step.starts[record.start] = (step.starts[record.start] ?? 0) + 1;
    if (record.timings.totalMs !== undefined) this.#sample(step, record.timings.totalMs);
  }

  /** Of one function, in order of time; steps in which nothing ended are absent. */
  points(functionName: string): readonly HistoryPoint[] {
    return (this.#steps.get(functionName) ?? []).map(pointOf);
  }

  #step(functionName: string, endedAtMs: number): Step {
    const atMs = Math.floor(endedAtMs / liveStepMs) * liveStepMs;
    let steps = this.#steps.get(functionName);
    if (steps === undefined) this.#steps.set(functionName, (steps = []));
    const known = steps.findLast((step) => step.atMs <= atMs);
    if (known?.atMs === atMs) return known;
    const made: Step = { atMs, outcomes: {}, starts: {}, durations: [], durationCount: 0, maxMs: 0 };
    steps.splice(known === undefined ? 0 : steps.indexOf(known) + 1, 0, made);
    if (steps.length > stepsKept) steps.shift();
    return made;
  }

  #sample(step: Step, ms: number): void {
    step.durationCount += 1;
    step.maxMs = Math.max(step.maxMs, ms);
    if (step.durations.length < sampled) step.durations.push(ms);
    else {
      const at = Math.floor(this.#random() * step.durationCount);
      if (at < sampled) step.durations[at] = ms;
    }
  }
}

function pointOf({ atMs, outcomes, starts, durations, durationCount, maxMs }: Step): HistoryPoint {
  const sorted = durations.toSorted((a, b) => a - b);
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { atMs, outcomes, starts, ...(durationCount > 0 && { durations: { count: durationCount, p50Ms: quantile(0.5), p90Ms: quantile(0.9), p99Ms: quantile(0.99), maxMs } }) };
}
