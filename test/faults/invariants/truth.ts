import type { ArrangedHistory, Run, Story } from "../arrange.ts";
import type { FaultEffects } from "../fault-kinds.ts";
import { effectsOf, faultsOver } from "../fault-window.ts";
import type { HistoryEvent } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Telling, tellingsOf } from "../telling.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

/** Refusals after which the caller cannot know whether anything was begun. */
const openRefusals = new Set(["connection_lost", "bus_down", "deadline_passed", "unexpected"]);

/** What has no time for another try, after a rejection, ends that much before it expires. */
const rejectedAheadMs = 30_000;
const none: FaultEffects = { outcomes: [], reasons: [] };
/** Of work that was not begun in its time. */
const late: FaultEffects = { outcomes: ["expired", "rejected"], reasons: ["deadline_passed", "no_free_slot", "no_agent_eligible", "backlog_full", "agent_busy"] };

/**
 * I6: what is told of an invocation is what its image and the faults it met can give, and what ground truth bears out. One finding an
 * invocation.
 */
export function checkTruth(history: ArrangedHistory, limits: Limits): Verdict {
  const told = [...history.stories.values()].filter(({ records, answers, refusals }) => records.length + answers.length + refusals.length > 0);
  return verdictOf("I6", told, (story) => findLie(history, story, limits));
}

function findLie(history: ArrangedHistory, story: Story, limits: Limits): Finding | undefined {
  for (const telling of tellingsOf(story)) {
    const lie = whatIsUnexplained(history, story, telling, limits) ?? whatRunsBelie(story, telling, limits);
    if (lie !== undefined) return found(story, lie, telling.event, ...runEvents(story));
  }
  for (const refusal of story.refusals) {
    if (!mayBe(history, story, refusal.atMs, undefined, limits).reasons.has(refusal.reason)) return found(story, `It was refused as ${refusal.reason}, which nothing explains`, refusal);
    if (isDenied(refusal) && story.accepted === undefined && story.submissions.length === 1 && story.runs.length > 0) return found(story, `It was refused as ${refusal.reason} before it had begun, and yet it ran`, refusal, ...runEvents(story));
  }
  return undefined;
}

const isDenied = ({ reason, phase }: Story["refusals"][number]) => phase !== "execution" && !openRefusals.has(reason);
const found = ({ invocationId, terms }: Story, sentence: string, ...events: readonly HistoryEvent[]): Finding => ({ invocationId, sentence, events: [terms, ...events] });
const runEvents = ({ runs }: Story): HistoryEvent[] => runs.flatMap(({ began, ended }) => (ended === undefined ? [began] : [began, ended]));

/** What may truly be said at a time: what the image gives, cancels that were asked for, and faults on its way. */
function mayBe(history: ArrangedHistory, story: Story, toMs: number, agentId: string | undefined, { aftermathMs }: Limits) {
  const effects = effectsOf(faultsOver(history.faults, { story, fromMs: story.terms.atMs, toMs, agentId }, aftermathMs));
  const isCancelled = story.cancels.some(({ atMs }) => atMs <= toMs);
  const waitedFor = toMs + rejectedAheadMs >= (story.terms.expiresMs ?? Number.POSITIVE_INFINITY) ? late : none;
  return {
    outcomes: new Set([...story.terms.outcomes, ...effects.outcomes, ...waitedFor.outcomes, ...(isCancelled ? ["cancelled" as const] : [])]),
    reasons: new Set<string>([...story.terms.reasons, ...effects.reasons, ...waitedFor.reasons, ...(isCancelled ? ["caller_gone"] : [])]),
  };
}

function whatIsUnexplained(history: ArrangedHistory, story: Story, { outcome, reason, agentId, finishedMs }: Telling, limits: Limits): string | undefined {
  const { outcomes, reasons } = mayBe(history, story, finishedMs, agentId, limits);
  if (!outcomes.has(outcome)) return `It was told as ${outcome}, which neither its image nor any fault explains`;
  return reason === undefined || reasons.has(reason) ? undefined : `It was told as ${outcome} for ${reason}, which nothing explains`;
}

function whatRunsBelie(story: Story, telling: Telling, limits: Limits): string | undefined {
  switch (telling.outcome) {
    case "succeeded":
      return whatSuccessLacks(story, telling, limits);
    case "rejected":
    case "expired":
      return isBegun(story, telling) ? `It was told as ${telling.outcome}, which says that it had not begun, and it had` : undefined;
    case "cancelled":
      return story.runs.some(({ ended }) => ended !== undefined && ended.atMs > telling.finishedMs + limits.clockToleranceMs) ? "It was told as cancelled while it still ran" : undefined;
    default:
      return undefined;
  }
}

function whatSuccessLacks({ terms, runs }: Story, { agentId, output, attempt, finishedMs }: Telling, { clockToleranceMs }: Limits): string | undefined {
  if (output !== undefined && terms.output !== undefined && output !== terms.output) return "It was told as succeeded with a wrong output";
  const isItsRun = ({ began, ended }: Run) =>
    ended?.how === "succeeded" && agrees(began.agentId, agentId) && agrees(began.attempt, attempt) && agrees(ended.output, output) && ended.atMs <= finishedMs + clockToleranceMs;
  return runs.some(isItsRun) ? undefined : "It was told as succeeded, and no run of it had succeeded so";
}

const agrees = <Value>(one: Value | undefined, other: Value | undefined) => one === undefined || other === undefined || one === other;

/** The attempt that a telling names, or any where there can only be one, had begun. */
function isBegun({ terms, runs }: Story, { attempt }: Telling): boolean {
  const isSingle = attempt === undefined || (terms.mode !== "async" && !terms.idempotent);
  if (isSingle) return runs.length > 0;
  return runs.some(({ began }) => began.attempt === attempt) || runs.filter(({ began }) => began.attempt === undefined).length >= attempt;
}
