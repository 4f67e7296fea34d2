import type { ArrangedHistory, Run, Story } from "../arrange.ts";
import { effectsOf, faultsOver } from "../fault-window.ts";
import type { HistoryEvent } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

const begunOnes = (history: ArrangedHistory) => [...history.stories.values()].filter(({ runs }) => runs.length > 0);
const eventsOf = (runs: readonly Run[]): HistoryEvent[] => runs.flatMap(({ began, ended }) => (ended === undefined ? [began] : [began, ended]));

/**
 * I4: by ground truth a function began no more often than it allows; and one that is not idempotent began again only after a run that
 * is known to have failed: not after one that succeeded, nor after one of which nobody can know.
 */
export function checkStarts(history: ArrangedHistory, limits: Limits): Verdict {
  return verdictOf("I4", begunOnes(history), (story) => findTooMany(story, limits) ?? findSecondStart(history, story));
}

/** Starts that an invocation's terms allow. */
export function mostStartsOf({ mode, idempotent, retry, mostStarts }: Story["terms"], limits: Limits): number {
  if (mostStarts !== undefined) return mostStarts;
  if (mode === "async") return retry === "never" ? 1 : limits.mostStarts;
  return idempotent && mode === "sync" ? limits.mostSyncStarts : 1;
}

function findTooMany({ invocationId, terms, runs }: Story, limits: Limits): Finding | undefined {
  const most = mostStartsOf(terms, limits);
  return runs.length <= most ? undefined : { invocationId, sentence: `It began ${runs.length} times, where its function allows ${most}`, events: [terms, ...eventsOf(runs)] };
}

function findSecondStart(history: ArrangedHistory, story: Story): Finding | undefined {
  if (story.terms.idempotent) return undefined;
  for (const [index, run] of story.runs.slice(0, -1).entries()) {
    const next = story.runs[index + 1];
    if (next === undefined) continue;
    const why = whyNoMore(history, story, run, next);
    if (why !== undefined) return { invocationId: story.invocationId, sentence: `It is not idempotent and began again, though ${why}`, events: [story.terms, ...eventsOf([run, next])] };
  }
  return undefined;
}

function whyNoMore(history: ArrangedHistory, story: Story, { began, ended }: Run, next: Run): string | undefined {
  if (story.attemptEnds.some(({ outcome, atMs }) => outcome === "lost" && atMs >= began.atMs && atMs <= next.began.atMs)) return "its attempt had ended as lost";
  if (ended === undefined || ended.atMs > next.began.atMs) return undefined; // An overlap, which is I5's.
  const over = faultsOver(history.faults, { story, fromMs: began.atMs, toMs: ended.atMs, agentId: began.agentId }, 0);
  if (ended.how === "succeeded" && !effectsOf(over).outcomes.includes("failed")) return "its run before had succeeded";
  const isOrphan = over.some((fault) => fault.began.kind === "agent_kill" && fault.fromMs <= ended.atMs);
  return ended.how === "killed" && isOrphan ? "its run before ended with its agent's death, so that nobody can know what it did" : undefined;
}

/** I5: no two runs of one invocation at the same time. A run whose end nobody saw lasts to the end of the history. */
export function checkNoOverlap(history: ArrangedHistory, limits: Limits): Verdict {
  const single = begunOnes(history).filter(({ terms }) => !terms.idempotent);
  return verdictOf("I5", single, (story) => findOverlap(story, limits));
}

function findOverlap({ invocationId, runs }: Story, { clockToleranceMs }: Limits): Finding | undefined {
  for (const [index, { began }] of runs.entries()) {
    const under = runs.slice(0, index).find(({ ended }) => (ended?.atMs ?? Number.POSITIVE_INFINITY) > began.atMs + clockToleranceMs);
    if (under !== undefined) return { invocationId, sentence: "It began again while its run before was still under way", events: [...eventsOf([under]), began] };
  }
  return undefined;
}
