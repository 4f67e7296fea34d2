import { median } from "../../bench/measure.ts";
import { arrange, type ArrangedHistory } from "./arrange.ts";
import type { HistoryEvent } from "./history.ts";
import { checkAnswers } from "./invariants/answers.ts";
import { checkDurations } from "./invariants/durations.ts";
import { checkIsolation } from "./invariants/isolation.ts";
import { checkKept, isAccepted } from "./invariants/kept.ts";
import { checkCapacity, checkLeftovers } from "./invariants/leftovers.ts";
import { checkMemory } from "./invariants/memory.ts";
import { checkOutbox } from "./invariants/outbox.ts";
import { checkRecovery, faultTimes } from "./invariants/recovery.ts";
import { checkNoOverlap, checkStarts } from "./invariants/runs.ts";
import { checkNothingInvented, checkOneRecord } from "./invariants/told-once.ts";
import { checkTruth } from "./invariants/truth.ts";
import { defaultLimits, type Limits } from "./limits.ts";
import type { Check, Invariant, Verdict, Violation } from "./verdict.ts";

/** Times of several faults, milliseconds. */
export interface Times {
  /** How many were measured. */
  readonly count: number;
  readonly medianMs: number | undefined;
  readonly mostMs: number | undefined;
}

/** What a run of the harness is summed up in. */
export interface Figures {
  readonly submitted: number;
  /** 202s. */
  readonly accepted: number;
  /** Of them, those without a record. */
  readonly lostAccepted: number;
  /** Of them, those with a record that came too late. */
  readonly lateAccepted: number;
  readonly doubledRecords: number;
  /** Starts beyond what is allowed, of functions that are not idempotent. */
  readonly secondStarts: number;
  readonly wrongReasons: number;
  /** 30 s after heal. */
  readonly orphans: number;
  readonly faults: number;
  /** From a fault to when Longshore showed that it knew. */
  readonly detection: Times;
  /** From a heal to the first success. */
  readonly recovery: Times;
}

/** What was found in a history. */
export interface Checked {
  /** Nothing was violated. That something was checked at all is in the verdicts. */
  readonly isClean: boolean;
  /** One for each invariant, in their order. */
  readonly verdicts: readonly Verdict[];
  readonly violations: readonly Violation[];
  /** Invariants that nothing in this history could have violated. */
  readonly unproved: readonly Invariant[];
  readonly figures: Figures;
}

const checks: readonly Check[] = [
  checkKept,
  checkNothingInvented,
  checkOneRecord,
  checkStarts,
  checkNoOverlap,
  checkTruth,
  checkAnswers,
  checkLeftovers,
  checkCapacity,
  checkIsolation,
  checkMemory,
  checkOutbox,
  checkRecovery,
  checkDurations,
];

/** Holds a recorded history against every invariant. */
export function checkHistory(events: readonly HistoryEvent[], limits: Partial<Limits> = {}): Checked {
  const history = arrange(events);
  const verdicts = checks.map((check) => check(history, { ...defaultLimits, ...limits }));
  const violations = verdicts.flatMap((verdict) => verdict.violations);
  return {
    isClean: violations.length === 0,
    verdicts,
    violations,
    unproved: verdicts.filter(({ checked }) => checked === 0).map(({ invariant }) => invariant),
    figures: figuresOf(history, violations),
  };
}

function figuresOf(history: ArrangedHistory, violations: readonly Violation[]): Figures {
  const of = (wanted: Invariant) => violations.filter(({ invariant }) => invariant === wanted);
  const accepted = [...history.stories.values()].filter(isAccepted);
  const unrecorded = new Set(of("I1").map(({ invocationId }) => invocationId));
  const times = faultTimes(history);
  return {
    submitted: history.stories.size,
    accepted: accepted.length,
    lostAccepted: accepted.filter(({ invocationId, records }) => unrecorded.has(invocationId) && records.length === 0).length,
    lateAccepted: accepted.filter(({ invocationId, records }) => unrecorded.has(invocationId) && records.length > 0).length,
    doubledRecords: of("I3").length,
    secondStarts: of("I4").filter(({ invocationId }) => history.stories.get(invocationId ?? "")?.terms.idempotent === false).length,
    wrongReasons: of("I6").length,
    orphans: of("I8").length,
    faults: history.faults.length,
    detection: timesOf(times.map(({ detectionMs }) => detectionMs)),
    recovery: timesOf(times.map(({ recoveryMs }) => recoveryMs)),
  };
}

function timesOf(all: readonly (number | undefined)[]): Times {
  const known = all.filter((ms) => ms !== undefined);
  if (known.length === 0) return { count: 0, medianMs: undefined, mostMs: undefined };
  return { count: known.length, medianMs: median(known), mostMs: Math.max(...known) };
}
