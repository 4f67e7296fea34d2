/** Time as the broker reads it; tests bring their own. */
export interface Clock {
  /** Milliseconds that only grow, from an arbitrary beginning. */
  nowMs(): number;
  /** The time of day, for records and logs. */
  date(): Date;
  /** Calls `action` once, that much later, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void;
}

/** A timer that comes later than that was kept by a process, or a host, that stood still. */
const standstillMs = 100;

/**
 * The machine's own clock. Its timers keep no process alive. After a standstill what has come meanwhile is read before a timer speaks: an answer,
 * or a heartbeat, that lay there in time is not taken for one that never came.
 */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  date: () => new Date(),
  after(delayMs, action) {
    const dueMs = performance.now() + delayMs;
    let immediate: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => {
      if (performance.now() - dueMs < standstillMs) action();
      else immediate = setImmediate(action); // Node reads in between.
    }, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
      clearImmediate(immediate);
    };
  },
};
