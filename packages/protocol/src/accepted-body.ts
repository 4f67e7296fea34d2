/**
 * A payload of an accepted invocation of at most that length stands in one message with it; a longer one is stored on its own, in parts, and
 * named there. An answer, also of a call, is kept up to that length.
 */
export const inlineBodyBytes = 256 * 1024;
