/**
 * A body of an accepted invocation, payload or answer, of at most that length stands in one message with its invocation; a longer one is
 * stored on its own, in parts, and named there.
 */
export const inlineBodyBytes = 256 * 1024;
