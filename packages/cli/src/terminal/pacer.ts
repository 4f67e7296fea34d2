/** Lets something be done no more often than it may be, and never forgets that it was asked for. */
export interface Pacer {
  /** Asks for it: at once where the last time is long enough ago, else as soon as it is; asked many times meanwhile, it is done once. */
  readonly ask: () => void;
  /** Nothing is done any more. */
  readonly stop: () => void;
}

export interface PacerOptions {
  readonly leastMs: number;
  readonly act: () => void;
  /** Milliseconds of any origin. */
  readonly now: () => number;
  /** Calls back after so many milliseconds; returns what takes that back. */
  readonly later: (call: () => void, ms: number) => () => void;
}

/** Makes a pacer; nothing happens before it is asked. */
export function createPacer({ leastMs, act, now, later }: PacerOptions): Pacer {
  let lastMs = -Infinity;
  let cancel: (() => void) | undefined;
  let isStopped = false;
  const run = (): void => {
    cancel = undefined;
    lastMs = now();
    act();
  };
  return {
    ask: () => {
      if (isStopped || cancel !== undefined) return;
      const waitMs = lastMs + leastMs - now();
      if (waitMs <= 0) run();
      else cancel = later(run, waitMs);
    },
    stop: () => {
      isStopped = true;
      cancel?.();
    },
  };
}

/** {@link PacerOptions.later} of this process. */
export function laterInProcess(call: () => void, ms: number): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}
