import type { ArrangedHistory } from "../arrange.ts";
import type { EventOf, Found } from "../history.ts";
import type { Limits } from "../limits.ts";
import { type Verdict, verdictOf } from "../verdict.ts";

/** I8: a sweep 30 s after the last heal finds nothing but what a living agent counts as its own or a live invocation needs. */
export function checkLeftovers(history: ArrangedHistory, limits: Limits): Verdict {
  const calm = history.of("sweep").filter(({ atMs }) => history.faults.every(({ fromMs, toMs }) => fromMs > atMs || toMs + limits.orphanGraceMs <= atMs));
  const seen = calm.flatMap((sweep) => sweep.found.filter((found) => isOrphan(history, sweep, found, limits)).map((found) => ({ sweep, found })));
  const orphans = [...Map.groupBy(seen, ({ found }) => `${found.what} ${found.name}`).values()];
  const { violations } = verdictOf("I8", orphans, ([first]) => first && { invocationId: first.found.invocationIds[0], sentence: `${capital(first.found.what)} "${first.found.name}" was left, and nothing that lives needs it`, events: [first.sweep] });
  return { invariant: "I8", checked: calm.length, violations };
}

function isOrphan(history: ArrangedHistory, { atMs }: EventOf<"sweep">, { knownTo, invocationIds }: Found, { orphanGraceMs }: Limits): boolean {
  const isLive = (id: string) => (history.stories.get(id)?.finishedMs ?? Number.NEGATIVE_INFINITY) + orphanGraceMs > atMs;
  return knownTo === undefined && !invocationIds.some(isLive);
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** I9: each agent that said its capacity when idle says the same after the drain. */
export function checkCapacity(history: ArrangedHistory): Verdict {
  const measured = history.of("capacity");
  const before = measured.filter(({ moment }) => moment === "before");
  return verdictOf("I9", history.isClosed ? before : [], (idle) => {
    const after = measured.findLast(({ agentId, moment }) => agentId === idle.agentId && moment === "after");
    if (after === undefined) return { sentence: `Agent "${idle.agentId}" told no capacity any more after the drain`, events: [idle] };
    const differing = Object.keys({ ...idle.values, ...after.values }).find((name) => idle.values[name] !== after.values[name]);
    return differing === undefined ? undefined : { sentence: `Of agent "${idle.agentId}", ${differing} was ${idle.values[differing] ?? "absent"} when idle and ${after.values[differing] ?? "absent"} after the drain`, events: [idle, after] };
  });
}
