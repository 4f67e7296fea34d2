/** A timer that does not keep a Node process alive; elsewhere an ordinary one. */
export function setQuietTimeout(run: () => void, delayMs: number): ReturnType<typeof setTimeout> {
  return quiet(setTimeout(run, delayMs));
}

/** The same, again and again. */
export function setQuietInterval(run: () => void, periodMs: number): ReturnType<typeof setInterval> {
  return quiet(setInterval(run, periodMs));
}

function quiet<T>(timer: T): T {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

/** Resolves after that long, or at once when the signal aborts. */
export function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const timer = setTimeout(over, delayMs);
    signal?.addEventListener("abort", over);
    function over(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", over);
      resolve();
    }
  });
}
