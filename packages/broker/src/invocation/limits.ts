/** What one broker's invocation path may take; milliseconds and counts. */
export interface InvocationLimits {
  /** Calls that may wait for a slot, by function. */
  readonly backlogPerFunction: number;
  /** The longest such wait. */
  readonly backlogWaitMs: number;
  /** How long after its deadline an agent may still give the result. */
  readonly deadlineGraceMs: number;
  /** How long after the image's own grace a cancelled run may take to say that it is gone. */
  readonly cancelGraceMs: number;
  /** How often one invocation is sent in vain before it fails. */
  readonly maxFailedSends: number;
  /** How often it is sent at all: agents may say they have a slot and refuse. */
  readonly maxSends: number;
}

export const defaultInvocationLimits: InvocationLimits = {
  backlogPerFunction: 100,
  backlogWaitMs: 10_000,
  deadlineGraceMs: 1_000,
  cancelGraceMs: 5_000,
  maxFailedSends: 3,
  maxSends: 50,
};
