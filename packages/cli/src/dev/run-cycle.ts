import { type CycleEvent, idleCycle, nextStep } from "./cycle.ts";

export interface RunCycleOptions {
  /** Builds and deploys; it never throws. `savedMs`: when the first of what it is for was saved, by `now`. */
  readonly build: (savedMs: number) => Promise<void>;
  /** Milliseconds of any origin. */
  readonly now: () => number;
  /** Calls back after so many milliseconds; returns what takes that back. */
  readonly later: (call: () => void, ms: number) => () => void;
}

/** A folder's builds, one after the other, as {@link nextStep} decides. */
export interface RunningCycle {
  readonly saved: () => void;
  /** Begins no more builds; resolves once the one under way has ended. */
  readonly stop: () => Promise<void>;
}

/** Makes a cycle at rest. */
export function createCycle({ build, now, later }: RunCycleOptions): RunningCycle {
  let cycle = idleCycle;
  let cancel: (() => void) | undefined;
  let underWay: Promise<void> = Promise.resolve();
  let isStopped = false;
  const take = (kind: CycleEvent["kind"]): void => {
    if (isStopped) return;
    const atMs = now();
    const step = nextStep(cycle, { kind, atMs });
    cycle = step.cycle;
    cancel?.();
    cancel = step.lookAtMs === undefined ? undefined : later(() => take("time"), step.lookAtMs - atMs);
    if (step.build && step.cycle.phase === "building") underWay = build(step.cycle.firstSaveMs).then(() => take("built"));
  };
  return {
    saved: () => take("saved"),
    stop: () => {
      isStopped = true;
      cancel?.();
      return underWay;
    },
  };
}
