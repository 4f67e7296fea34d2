import type { ArrangedHistory, Story } from "../arrange.ts";
import type { EventOf } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Finding, type Verdict, verdictOf } from "../verdict.ts";

type Sample = EventOf<"outbox">;

/**
 * I12: an outbox is empty in the end; what leaves it had come to a broker; while it is full, no accepted work begins on its agent, which
 * is to refuse it.
 */
export function checkOutbox(history: ArrangedHistory, limits: Limits): Verdict {
  const agents = [...Map.groupBy(history.of("outbox"), ({ agentId }) => agentId).values()];
  return verdictOf("I12", agents, (samples) => findKept(history, samples) ?? findDrop(history, samples, limits) ?? findBegunWhileFull(history, samples, limits));
}

function findKept(history: ArrangedHistory, samples: readonly Sample[]): Finding | undefined {
  const last = samples.at(-1);
  if (!history.isClosed || last === undefined || last.waiting.length === 0) return undefined;
  return { invocationId: last.waiting[0], sentence: `${last.waiting.length} results were still in the outbox of agent "${last.agentId}" after the drain`, events: [last] };
}

function findDrop(history: ArrangedHistory, samples: readonly Sample[], { clockToleranceMs }: Limits): Finding | undefined {
  for (const [before, after] of pairs(samples)) {
    const gone = before.waiting.filter((id) => !after.waiting.includes(id));
    const dropped = gone.find((id) => isDropped(history, history.stories.get(id), after.atMs + clockToleranceMs));
    if (dropped !== undefined) return { invocationId: dropped, sentence: `Its result left the outbox of agent "${after.agentId}", and no record has it`, events: [before, after] };
  }
  return undefined;
}

/** Nothing ever came of it: no record, or one that knows nothing of it; and it was not begun again, as after a failure that was told. */
function isDropped({ isClosed }: ArrangedHistory, story: Story | undefined, goneMs: number): boolean {
  if (story === undefined || story.runs.some(({ began }) => began.atMs > goneMs)) return false;
  const [record] = story.records;
  return record === undefined ? isClosed : record.outcome === "lost" && record.finishedMs > goneMs;
}

/** Only where nothing left it in between: otherwise there may have been room for a moment. */
function findBegunWhileFull(history: ArrangedHistory, samples: readonly Sample[], { clockToleranceMs }: Limits): Finding | undefined {
  for (const [before, after] of pairs(samples)) {
    if (!isFull(before) || !isFull(after) || before.waiting.some((id) => !after.waiting.includes(id))) continue;
    const begun = history.of("began").find(({ atMs, agentId, invocationId }) => agentId === before.agentId && atMs > before.atMs + clockToleranceMs && atMs < after.atMs - clockToleranceMs && history.stories.get(invocationId)?.terms.mode === "async");
    if (begun !== undefined) return { invocationId: begun.invocationId, sentence: `It began on agent "${begun.agentId}", whose outbox was full`, events: [before, begun, after] };
  }
  return undefined;
}

const isFull = ({ bytes, quotaBytes }: Sample) => bytes >= quotaBytes;
const pairs = (samples: readonly Sample[]) => samples.slice(1).map((after, index) => [samples[index] ?? after, after] as const);
