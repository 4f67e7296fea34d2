import type { Usage } from "./room.ts";

/** An instance that may be ended to make room: held, or ready without invocations. */
export interface EvictionCandidate {
  readonly memoryBytes: number;
  /** When its function was last used. */
  readonly lastUsedMs: number;
}

/**
 * Chooses which instances to end so that at least `needed` is freed: the least recently used first, and none that turns out not to be
 * needed. Undefined when all of them together would not do.
 */
export function chooseVictims<T extends EvictionCandidate>(candidates: readonly T[], needed: Usage): T[] | undefined {
  const chosen: T[] = [];
  const missing = { memoryBytes: needed.memoryBytes, instances: needed.instances };
  for (const candidate of [...candidates].sort((a, b) => a.lastUsedMs - b.lastUsedMs)) {
    if (missing.memoryBytes <= 0 && missing.instances <= 0) break;
    chosen.push(candidate);
    missing.memoryBytes -= candidate.memoryBytes;
    missing.instances -= 1;
  }
  if (missing.memoryBytes > 0 || missing.instances > 0) return undefined;
  // Taken until it was enough: of these, the most recently used are spared first.
  const needless = new Set<T>();
  for (const candidate of chosen.toReversed()) {
    if (missing.memoryBytes + candidate.memoryBytes > 0 || missing.instances + 1 > 0) continue;
    missing.memoryBytes += candidate.memoryBytes;
    missing.instances += 1;
    needless.add(candidate);
  }
  return chosen.filter((candidate) => !needless.has(candidate));
}
