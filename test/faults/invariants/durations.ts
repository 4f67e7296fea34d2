import type { ArrangedHistory, Story } from "../arrange.ts";
import type { HistoryEvent } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Verdict, verdictOf } from "../verdict.ts";

/** Two moments, the first of which cannot be after the second. */
interface Stretch {
  readonly name: string;
  readonly invocationId?: string;
  readonly ms: number;
  readonly toleranceMs: number;
  readonly events: readonly HistoryEvent[];
}

/** I14: nothing ends before it begins, neither in what records say of themselves nor in what was seen. */
export function checkDurations(history: ArrangedHistory, { clockToleranceMs }: Limits): Verdict {
  const ofFaults = history.faults.map(({ began, healed }): Stretch => ({ name: `${began.kind} of "${began.target}"`, ms: (healed?.atMs ?? began.atMs) - began.atMs, toleranceMs: 0, events: healed === undefined ? [began] : [began, healed] }));
  const all = [...ofFaults, ...[...history.stories.values()].flatMap((story) => stretchesOf(story, clockToleranceMs))];
  return verdictOf("I14", all, ({ name, invocationId, ms, toleranceMs, events }) => (ms >= -toleranceMs ? undefined : { invocationId, sentence: `${name} lasted ${ms} ms`, events }));
}

function stretchesOf({ invocationId, terms, accepted, answers, refusals, runs, records }: Story, toleranceMs: number): Stretch[] {
  const since = (event: HistoryEvent, name: string, ms = event.atMs - terms.atMs, isExact = false): Stretch => ({ name, invocationId, ms, toleranceMs: isExact ? 0 : toleranceMs, events: [terms, event] });
  return [
    ...(accepted === undefined ? [] : [since(accepted, "From submission to acceptance it")]),
    ...[...answers, ...refusals].map((event) => since(event, "From submission to answer it")),
    ...runs.map(({ began }) => since(began, "From submission to its run it")),
    ...runs.flatMap(({ began, ended }) => (ended === undefined ? [] : [{ name: "Its run", invocationId, ms: ended.atMs - began.atMs, toleranceMs, events: [began, ended] }])),
    ...records.map((record) => since(record, "From submission to its end it", record.finishedMs - terms.atMs)),
    ...records.flatMap((record) => Object.entries(record.timings).map(([name, ms]) => since(record, `In its record, ${name}`, ms, true))),
  ];
}
