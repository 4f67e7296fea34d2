/** Time as the broker reads it; tests bring their own. */
export interface Clock {
  /** Milliseconds that only grow, from an arbitrary beginning. */
  nowMs(): number;
  /** The time of day, for records and logs. */
  date(): Date;
  /** Calls `action` once, that much later, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void;
}

/** The machine's own clock. Its timers keep no process alive. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  date: () => new Date(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
