/** What the invariants allow. Milliseconds and bytes. */
export interface Limits {
  /** I1: after deadline and heal. */
  readonly recordGraceMs: number;
  /** I4: runs of accepted work, where its function allows repetition. */
  readonly mostStarts: number;
  /** I4: runs of a sync invocation whose function is idempotent. */
  readonly mostSyncStarts: number;
  /** I6: so long after its heal a fault still explains what is told. */
  readonly aftermathMs: number;
  /** I7: after the deadline. */
  readonly answerGraceMs: number;
  /** I8: after heal, and after the end of the invocation that something served. */
  readonly orphanGraceMs: number;
  /** I11: the most that one process may take. */
  readonly mostMemoryBytes: number;
  /** I11: the last quarter of its samples against the second. */
  readonly mostMemoryGrowth: number;
  /** I13: from heal to the first success. */
  readonly recoveryMs: number;
  /** How far two readings of clocks may differ: an image's clock of 10 ms, the wall clock's rounding. */
  readonly clockToleranceMs: number;
}

/** As the guarantees say. */
export const defaultLimits: Limits = {
  recordGraceMs: 30_000,
  mostStarts: 3,
  mostSyncStarts: 3,
  aftermathMs: 30_000,
  answerGraceMs: 1_000,
  orphanGraceMs: 30_000,
  mostMemoryBytes: 2 ** 30,
  mostMemoryGrowth: 1.25,
  recoveryMs: 30_000,
  clockToleranceMs: 20,
};
