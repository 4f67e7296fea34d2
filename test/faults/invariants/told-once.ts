import type { ArrangedHistory, Story } from "../arrange.ts";
import type { HistoryEvent } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Telling, tellingsOf } from "../telling.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

/** What speaks of an invocation that somebody must have submitted. */
const results = new Set(["accepted", "answered", "began", "attempt_ended", "record"]);

/** I2: whatever was accepted, ran, or has a result was submitted. */
export function checkNothingInvented(history: ArrangedHistory): Verdict {
  const strangers = Map.groupBy(history.strangers.filter(({ event }) => results.has(event)), (event) => ("invocationId" in event ? event.invocationId : undefined));
  const violations = [...strangers].map(([invocationId, events]) => ({ invariant: "I2" as const, invocationId, sentence: "Nobody submitted it, and yet it was heard of", events }));
  return { invariant: "I2", checked: history.stories.size + strangers.size, violations };
}

/** I3: all who were told an invocation's result were told the same one, and no caller was answered twice. */
export function checkOneRecord(history: ArrangedHistory, limits: Limits): Verdict {
  const told = [...history.stories.values()].filter(({ records, answers }) => records.length + answers.length > 0);
  return verdictOf("I3", told, (story) => findSecondAnswer(story) ?? findDifference(story, limits));
}

function findSecondAnswer({ invocationId, answers, refusals }: Story): Finding | undefined {
  const heard = Map.groupBy([...answers, ...refusals], ({ call }): number => call);
  const twice = [...heard.values()].find((events) => events.length > 1);
  return twice === undefined ? undefined : { invocationId, sentence: "Its caller was answered twice", events: twice };
}

function findDifference(story: Story, { clockToleranceMs }: Limits): Finding | undefined {
  const tellings = tellingsOf(story);
  for (const [index, one] of tellings.entries()) {
    for (const other of tellings.slice(index + 1)) {
      const field = differingField(one, other, clockToleranceMs);
      if (field !== undefined) return differing(story.invocationId, field, one.event, other.event);
    }
  }
  return undefined;
}

function differing(invocationId: string, field: string, ...events: readonly HistoryEvent[]): Finding {
  return { invocationId, sentence: `Its result was told twice, with a different ${field}`, events };
}

/** The first field in which two tellings contradict each other; what one of them does not say is no contradiction. */
function differingField(one: Telling, other: Telling, toleranceMs: number): string | undefined {
  const fields = ["outcome", "reason", "attempt", "agentId", "output"] as const;
  const differing = fields.find((field) => one[field] !== undefined && other[field] !== undefined && one[field] !== other[field]);
  const areRecords = one.event.event === "record" && other.event.event === "record";
  return differing ?? (areRecords && Math.abs(one.finishedMs - other.finishedMs) > toleranceMs ? "time" : undefined);
}
