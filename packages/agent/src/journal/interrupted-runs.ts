import type { InterruptedRun, Journal } from "./journal.ts";
import type { AttemptKey } from "./outbox.ts";

/**
 * Runs that died with an earlier process of the agent, until their containers are gone: what such a program does it does to the world,
 * and nobody may be told that it is over, nor begin it anew, while it does.
 */
export class InterruptedRuns {
  readonly #journal: Pick<Journal, "ended">;
  readonly #open: Map<string, InterruptedRun>;

  constructor(journal: Pick<Journal, "interrupted" | "ended">) {
    this.#journal = journal;
    this.#open = new Map(journal.interrupted.map((run) => [nameOf(run), run]));
  }

  /** Their instances; each is to be ended. */
  get instanceIds(): ReadonlySet<string> {
    return new Set([...this.#open.values()].map(({ instanceId }) => instanceId));
  }

  /** True once nothing of it runs any more. */
  isOver(key: AttemptKey): boolean {
    return !this.#open.has(nameOf(key));
  }

  /** Of all instances that were to be ended these are still there; forgets the runs of the others. */
  swept(remaining: ReadonlySet<string | undefined>): void {
    for (const [name, run] of this.#open) {
      if (remaining.has(run.instanceId)) continue;
      this.#open.delete(name);
      this.#journal.ended({ ...run, outcome: "lost" });
    }
  }
}

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId} ${attempt}`;
