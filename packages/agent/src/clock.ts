/** Time as the agent's parts see it: passed in, so that tests decide it. */
export interface Clock {
  /** Milliseconds on a clock that only goes forward; its zero means nothing. */
  monotonicMs(): number;
  /** Milliseconds since the Unix epoch. */
  wallMs(): number;
  /** Calls back once after that many milliseconds, unless what it returns is called first. */
  after(delayMs: number, callback: () => void): () => void;
}

/** No timer of Node's is longer than this. */
const longestTimerMs = 2 ** 31 - 1;

/** A timer that comes later than that was kept by a process, or a host, that stood still. */
const standstillMs = 100;

/**
 * The machine's own time. After a standstill what has come meanwhile is read before a timer speaks: an answer that lay there in time is not taken
 * for one that never came.
 */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, callback) {
    const waitMs = Math.min(Math.max(delayMs, 0), longestTimerMs);
    const dueMs = performance.now() + waitMs;
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      if (performance.now() - dueMs < standstillMs) callback();
      else immediate = setImmediate(callback); // Node reads in between.
    }, waitMs);
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};

/** Resolves after that many milliseconds, or as soon as `signal` is aborted. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const finish = () => {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener("abort", finish, { once: true });
  });
}
