/** A process that another has taken over from. */
interface Replaced {
  lastHeardMs: number;
  isDraining: boolean;
}

/** A replaced process may still be heard that long after: messages overtake each other. */
const overlapMs = 1_000;
/** A host whose processes change faster than they fall silent is broken, or a thief's. */
const maxReplaced = 8;

/**
 * Tells a restarted agent from a second process on the same credential, by the random incarnation that each process gives itself.
 * A replaced process falls silent, or says that it is draining; two that go on side by side are doubles.
 */
export class Incarnations {
  #current: string | undefined;
  #currentSinceMs = 0;
  readonly #replaced = new Map<string, Replaced>();

  /** The process that speaks for the agent now. */
  get current(): string | undefined {
    return this.#current;
  }

  /** A process spoke: the current one, one unknown until now, or one that was replaced. */
  heard(incarnation: string, isDraining: boolean, nowMs: number): "current" | "new" | "replaced" {
    if (incarnation === this.#current) return "current";
    const replaced = this.#replaced.get(incarnation);
    if (replaced === undefined) return "new";
    replaced.lastHeardMs = nowMs;
    replaced.isDraining = isDraining;
    return "replaced";
  }

  /** A new process takes over from the current one. */
  replace(incarnation: string, before: Replaced, nowMs: number): void {
    if (this.#current !== undefined) this.#replaced.set(this.#current, { ...before });
    this.#current = incarnation;
    this.#currentSinceMs = nowMs;
  }

  /** True while a replaced process goes on as if nothing had happened, or too many have come and gone. */
  get isDoubled(): boolean {
    if (this.#replaced.size > maxReplaced) return true;
    return [...this.#replaced.values()].some(({ lastHeardMs, isDraining }) => !isDraining && lastHeardMs > this.#currentSinceMs + overlapMs);
  }

  /** True while a replaced process may still be finishing its work. */
  get isHandingOver(): boolean {
    return this.#replaced.size > 0;
  }

  /** Forgets the replaced processes that have not been heard since then, and returns them. */
  takeSilent(sinceMs: number): string[] {
    const silent = [...this.#replaced].filter(([, { lastHeardMs }]) => lastHeardMs <= sinceMs).map(([incarnation]) => incarnation);
    for (const incarnation of silent) this.#replaced.delete(incarnation);
    return silent;
  }
}
