import type { ArrangedHistory, Story } from "../arrange.ts";
import { faultsOver } from "../fault-window.ts";
import type { HistoryEvent } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

/** I1: what was accepted has its record by deadline and grace, counted from the heal of what was broken meanwhile; and it stays. */
export function checkKept(history: ArrangedHistory, limits: Limits): Verdict {
  const due = [...history.stories.values()].filter((story) => isAccepted(story) || isBrokenOff(history, story, limits));
  return verdictOf("I1", due, (story) => findLoss(history, story, limits));
}

/** It had its 202. */
export const isAccepted = (story: Story) => story.accepted !== undefined;

/** A sync run whose broker died under it, and nothing else: it finishes, and its record is there to be read. */
function isBrokenOff(history: ArrangedHistory, story: Story, limits: Limits): boolean {
  const { refusals, runs, submissions } = story;
  const broken = refusals.find(({ reason }) => reason === "connection_lost");
  if (broken === undefined || submissions.length > 1 || !runs.some(({ began }) => began.atMs < broken.atMs)) return false;
  const over = faultsOver(history.faults, { story, fromMs: story.terms.atMs, toMs: story.terms.deadlineMs }, limits.aftermathMs);
  return over.length > 0 && over.every(({ began }) => began.kind === "broker_kill");
}

function findLoss(history: ArrangedHistory, story: Story, { recordGraceMs }: Limits): Finding | undefined {
  const { invocationId, terms, records, absences } = story;
  const dueMs = dueOf(history, story, recordGraceMs);
  const finishedMs = Math.min(...records.map((record) => record.finishedMs));
  const found = (sentence: string, ...more: readonly HistoryEvent[]): Finding => ({ invocationId, sentence, events: [terms, ...(story.accepted === undefined ? [] : [story.accepted]), ...more] });
  if (records.length === 0) {
    const isOver = history.isClosed || history.lastMs > dueMs;
    return isOver ? found("It was accepted, and nobody ever gave a terminal record of it", ...absences.slice(-1)) : undefined;
  }
  if (finishedMs > dueMs) return found(`Its terminal record came ${Math.round(finishedMs - dueMs)} ms after it was due`, ...records.slice(0, 1));
  const lastRecord = records.at(-1);
  const gone = absences.find(({ atMs }) => atMs > (lastRecord?.atMs ?? 0));
  return gone === undefined ? undefined : found("Its terminal record was there, and gone when it was read again", ...records.slice(-1), gone);
}

function dueOf(history: ArrangedHistory, { terms }: Story, graceMs: number): number {
  const heals = history.faults.filter(({ fromMs, toMs }) => fromMs <= terms.deadlineMs + graceMs && toMs >= terms.atMs).map(({ toMs }) => toMs);
  return Math.max(terms.deadlineMs, ...heals) + graceMs;
}
