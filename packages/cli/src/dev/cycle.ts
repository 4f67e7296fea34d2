/**
 * Decides when a folder is built. Invariants:
 * 1. At most one build is under way.
 * 2. Every save is followed by a build that began after it; many saves during a build by one.
 * 3. A build begins once nothing was saved for {@link quietMs}, or after {@link mostSettlingMs} of saving without end.
 */
export type Cycle =
  | { readonly phase: "idle" }
  | { readonly phase: "settling"; readonly firstSaveMs: number; readonly lastSaveMs: number }
  /** `missed`: what was saved meanwhile. */
  | { readonly phase: "building"; readonly firstSaveMs: number; readonly missed: { readonly firstSaveMs: number; readonly lastSaveMs: number } | undefined };

/** What happened; milliseconds of one clock. */
export type CycleEvent = { readonly kind: "saved"; readonly atMs: number } | { readonly kind: "time"; readonly atMs: number } | { readonly kind: "built"; readonly atMs: number };

/** What is to be done next: begin a build, or look again at a time. */
export interface CycleStep {
  readonly cycle: Cycle;
  readonly build: boolean;
  /** When a `time` is to be told; absent: never. */
  readonly lookAtMs: number | undefined;
}

/** Editors write a file in several steps, and several files one after the other. */
export const quietMs = 100;
export const mostSettlingMs = 1_000;

/** Nothing is built, nothing was saved. */
export const idleCycle: Cycle = { phase: "idle" };

/** The next state of a cycle, and what is to be done. Pure. */
export function nextStep(cycle: Cycle, event: CycleEvent): CycleStep {
  switch (cycle.phase) {
    case "idle":
      return event.kind === "saved" ? settle({ firstSaveMs: event.atMs, lastSaveMs: event.atMs }, event.atMs) : stay(cycle);
    case "settling":
      return settle(event.kind === "saved" ? { ...cycle, lastSaveMs: event.atMs } : cycle, event.atMs);
    case "building":
      if (event.kind === "saved") return stay({ ...cycle, missed: { firstSaveMs: cycle.missed?.firstSaveMs ?? event.atMs, lastSaveMs: event.atMs } }); // 1, 2
      if (event.kind === "time") return stay(cycle);
      return cycle.missed === undefined ? stay(idleCycle) : settle(cycle.missed, event.atMs); // 2
  }
}

function settle({ firstSaveMs, lastSaveMs }: { readonly firstSaveMs: number; readonly lastSaveMs: number }, nowMs: number): CycleStep {
  const dueMs = Math.min(lastSaveMs + quietMs, firstSaveMs + mostSettlingMs); // 3
  if (nowMs >= dueMs) return { cycle: { phase: "building", firstSaveMs, missed: undefined }, build: true, lookAtMs: undefined };
  return { cycle: { phase: "settling", firstSaveMs, lastSaveMs }, build: false, lookAtMs: dueMs };
}

function stay(cycle: Cycle): CycleStep {
  return { cycle, build: false, lookAtMs: undefined };
}
