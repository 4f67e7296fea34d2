/**
 * A body of an accepted invocation, payload or answer, of at most that length stands in one message with it; a longer one is stored on its
 * own, in parts, and named there. Of a call no longer answer is kept.
 */
export const inlineBodyBytes = 256 * 1024;
