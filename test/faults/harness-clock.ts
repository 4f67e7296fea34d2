/** The one clock of a history. Images on the same machine note `process.hrtime` (CLOCK_MONOTONIC, the same in every container). */
export interface HarnessClock {
  nowMs(): number;
  /** Of nanoseconds that another process of this machine read from CLOCK_MONOTONIC. */
  ofMonotonic(nanoseconds: bigint): number;
  /** Of an RFC 3339 time of this machine's wall clock, as records have them: to the millisecond, as long as nobody sets that clock. */
  ofDate(text: string): number;
}

/** A clock that begins now. */
export function createHarnessClock(monotonic: () => bigint = () => process.hrtime.bigint(), beginning: Date = new Date()): HarnessClock {
  const origin = monotonic();
  const ofMonotonic = (nanoseconds: bigint) => Number(nanoseconds - origin) / 1e6;
  return { nowMs: () => ofMonotonic(monotonic()), ofMonotonic, ofDate: (text) => Date.parse(text) - beginning.getTime() };
}
