import type { ArrangedHistory } from "./arrange.ts";
import type { HistoryEvent } from "./history.ts";
import type { Limits } from "./limits.ts";

/** The invariants of the guarantees, as sentences. */
export const invariants = {
  I1: "Nothing accepted is without a terminal record by its deadline and a grace",
  I2: "There is no result of what was never submitted",
  I3: "An invocation has one terminal record, whoever tells it",
  I4: "Starts never exceed what the function allows",
  I5: "Runs of one invocation do not overlap, unless it is idempotent",
  I6: "What is told of an invocation is true",
  I7: "Every sync caller is answered by the deadline and a second",
  I8: "30 s after heal nothing is left that no live invocation needs",
  I9: "Capacity returns to its idle value",
  I10: "No tenant's marker is seen by another",
  I11: "Memory is bounded",
  I12: "The outbox delivers all that it took, and takes nothing beyond its quota",
  I13: "Work succeeds again soon after heal",
  I14: "No duration is negative",
} as const;
export type Invariant = keyof typeof invariants;

/** One thing that should not be. */
export interface Violation {
  readonly invariant: Invariant;
  readonly invocationId?: string | undefined;
  /** One sentence. */
  readonly sentence: string;
  /** What shows it. */
  readonly events: readonly HistoryEvent[];
}

/** What one invariant's check came to. */
export interface Verdict {
  readonly invariant: Invariant;
  /** How many things it could be violated by; with none, nothing is proved. */
  readonly checked: number;
  readonly violations: readonly Violation[];
}

/** A check of one invariant over a whole history. */
export type Check = (history: ArrangedHistory, limits: Limits) => Verdict;

/** A finding before it has its invariant. */
export type Finding = Omit<Violation, "invariant">;

/** A check of each of many things: `find` gives what is wrong with one, if anything. */
export function verdictOf<Thing>(invariant: Invariant, things: readonly Thing[], find: (thing: Thing) => Finding | undefined): Verdict {
  const violations = things.flatMap((thing) => {
    const finding = find(thing);
    return finding === undefined ? [] : [{ invariant, ...finding }];
  });
  return { invariant, checked: things.length, violations };
}
