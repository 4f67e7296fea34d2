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
