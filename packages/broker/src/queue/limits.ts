/** Where its caller says nothing, an invocation that has not begun so long after it might is given up. */
export const defaultMaxAgeMs = 6 * 3_600_000;
/** An agent that has an attempt may be cut off for that long beyond its time before it counts as lost. */
export const unheardMs = 3_600_000;
