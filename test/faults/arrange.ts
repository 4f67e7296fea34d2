import type { EventName, EventOf, HistoryEvent } from "./history.ts";

/** One run of an image, by ground truth. */
export interface Run {
  readonly began: EventOf<"began">;
  readonly ended: EventOf<"ended"> | undefined;
}

/** All that happened to one invocation, each list in order of time. */
export interface Story {
  readonly invocationId: string;
  /** The first submission: what may come of it. */
  readonly terms: EventOf<"submitted">;
  readonly submissions: readonly EventOf<"submitted">[];
  readonly accepted: EventOf<"accepted"> | undefined;
  readonly refusals: readonly EventOf<"refused">[];
  readonly answers: readonly EventOf<"answered">[];
  readonly cancels: readonly EventOf<"cancel">[];
  readonly runs: readonly Run[];
  readonly attemptEnds: readonly EventOf<"attempt_ended">[];
  readonly records: readonly EventOf<"record">[];
  readonly absences: readonly EventOf<"record_absent">[];
  /** When its result came to be, as far as anybody told; infinite when nobody did. */
  readonly finishedMs: number;
}

/** A fault from its beginning to its heal. */
export interface Fault {
  readonly began: EventOf<"fault_began">;
  readonly healed: EventOf<"fault_healed"> | undefined;
  readonly fromMs: number;
  /** Infinite when it was never healed. */
  readonly toMs: number;
  readonly noticed: EventOf<"noticed"> | undefined;
}

/** A history by what belongs together. */
export interface ArrangedHistory {
  readonly opened: EventOf<"opened"> | undefined;
  /** All is drained: what is not there now will not come. */
  readonly isClosed: boolean;
  readonly lastMs: number;
  readonly stories: ReadonlyMap<string, Story>;
  /** Events of invocations that nobody submitted. */
  readonly strangers: readonly HistoryEvent[];
  readonly faults: readonly Fault[];
  /** All events of one name in order of time. */
  of<Name extends EventName>(name: Name): readonly EventOf<Name>[];
}

/** Events that say something of one invocation. */
const invocationEvents = ["accepted", "refused", "answered", "cancel", "began", "ended", "attempt_ended", "record", "record_absent"] as const;

/** Arranges a history; nothing is left out, and nothing is judged. */
export function arrange(history: readonly HistoryEvent[]): ArrangedHistory {
  const byName = Map.groupBy(history.toSorted((a, b) => a.atMs - b.atMs), ({ event }) => event);
  const of = <Name extends EventName>(name: Name) => (byName.get(name) ?? []) as EventOf<Name>[];
  const submissions = Map.groupBy(of("submitted"), ({ invocationId }) => invocationId);
  const told = invocationEvents.flatMap((name): EventOf<(typeof invocationEvents)[number]>[] => of(name));
  const byInvocation = Map.groupBy(told, ({ invocationId }) => invocationId);
  const stories = [...submissions].map(([invocationId, all]) => [invocationId, storyOf(invocationId, all, byInvocation.get(invocationId) ?? [])] as const);
  return {
    opened: of("opened")[0],
    isClosed: of("closed").length > 0,
    lastMs: history.reduce((last, { atMs }) => Math.max(last, atMs), 0),
    stories: new Map(stories),
    strangers: told.filter(({ invocationId }) => !submissions.has(invocationId)),
    faults: faultsOf(of("fault_began"), of("fault_healed"), of("noticed")),
    of,
  };
}

function storyOf(invocationId: string, submissions: readonly EventOf<"submitted">[], events: readonly HistoryEvent[]): Story {
  const byName = Map.groupBy(events, ({ event }) => event);
  const of = <Name extends EventName>(name: Name) => (byName.get(name) ?? []) as EventOf<Name>[];
  const ends = new Map(of("ended").map((ended) => [ended.runId, ended]));
  return {
    invocationId,
    terms: submissions[0] as EventOf<"submitted">,
    submissions,
    accepted: of("accepted")[0],
    refusals: of("refused"),
    answers: of("answered"),
    cancels: of("cancel"),
    runs: of("began").map((began) => ({ began, ended: ends.get(began.runId) })),
    attemptEnds: of("attempt_ended"),
    records: of("record"),
    absences: of("record_absent"),
    finishedMs: Math.min(...of("record").map(({ finishedMs }) => finishedMs), ...of("answered").map(({ atMs }) => atMs)),
  };
}

function faultsOf(began: readonly EventOf<"fault_began">[], healed: readonly EventOf<"fault_healed">[], noticed: readonly EventOf<"noticed">[]): Fault[] {
  return began.map((each) => {
    const heal = healed.find(({ faultId }) => faultId === each.faultId);
    return { began: each, healed: heal, fromMs: each.atMs, toMs: heal?.atMs ?? Number.POSITIVE_INFINITY, noticed: noticed.find(({ faultId }) => faultId === each.faultId) };
  });
}
