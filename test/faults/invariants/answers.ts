import type { ArrangedHistory, Story } from "../arrange.ts";
import type { EventOf } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

/** I7: every caller that waits hears something by its deadline and a second; one that left is owed nothing. */
export function checkAnswers(history: ArrangedHistory, limits: Limits): Verdict {
  const waiting = [...history.stories.values()].flatMap((story) => story.submissions.filter((call) => call.mode !== "async" && !hasLeft(story, call)).map((call) => ({ story, call })));
  return verdictOf("I7", waiting, ({ story, call }) => findSilence(history, story, call, limits));
}

const hasLeft = ({ cancels }: Story, { call }: EventOf<"submitted">) => cancels.some((cancel) => cancel.call === call && cancel.how === "caller_left");

function findSilence(history: ArrangedHistory, { invocationId, answers, refusals }: Story, submitted: EventOf<"submitted">, limits: Limits): Finding | undefined {
  const dueMs = submitted.deadlineMs + limits.answerGraceMs;
  const heard = [...answers, ...refusals].find(({ call }) => call === submitted.call);
  if (heard === undefined) return history.isClosed || history.lastMs > dueMs ? { invocationId, sentence: "Its caller was never answered", events: [submitted] } : undefined;
  return heard.atMs <= dueMs ? undefined : { invocationId, sentence: `Its caller was answered ${Math.round(heard.atMs - submitted.deadlineMs)} ms after the deadline`, events: [submitted, heard] };
}
