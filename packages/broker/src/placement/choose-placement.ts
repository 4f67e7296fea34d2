/** An agent that may take an invocation now. */
export interface Candidate {
  /** How soon it could serve; the higher the better. */
  readonly tier: number;
  /** How busy it is, in parts of what it can take. */
  readonly load: number;
}

/** The best tier's less loaded of two random candidates (among many brokers, better than the least loaded of all: they would all pick the same). */
export function choosePlacement<T extends Candidate>(candidates: readonly T[], random: () => number): T | undefined {
  const best = candidates.reduce((tier, candidate) => Math.max(tier, candidate.tier), 0);
  const equals = candidates.filter((candidate) => candidate.tier === best && best > 0);
  const firstAt = Math.floor(random() * equals.length);
  const first = equals[firstAt];
  if (first === undefined || equals.length === 1) return first;
  const otherAt = Math.floor(random() * (equals.length - 1));
  const other = equals[otherAt < firstAt ? otherAt : otherAt + 1];
  return other !== undefined && other.load < first.load ? other : first;
}
