/**
 * Has something done once for however many changes: at the next of `schedule`'s times after the first of them. With an animation frame as
 * that time a page draws no more often than it is seen, and not at all while it is hidden.
 */
export function createFrameBatch(schedule: (run: () => void) => void, flush: () => void): () => void {
  let isScheduled = false;
  return () => {
    if (isScheduled) return;
    isScheduled = true;
    schedule(() => {
      isScheduled = false;
      flush();
    });
  };
}
