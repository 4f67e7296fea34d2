import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { Listed, QueueStore } from "../bus/queue-store.ts";
import type { Clock } from "../clock.ts";

export interface OverdueOptions {
  readonly queue: Pick<QueueStore, "list" | "remove">;
  /** Sees to it that it has its record; resolves once some broker has stored one. */
  readonly end: (overdue: Listed) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

const lookEveryMs = 60_000;
const pageLength = 100;

/**
 * Ends what the server took out of the queue because no broker ended it in time: none was there, or none could read it.
 *
 * Invariants: O1 it is taken away only once its record is stored, whichever broker did that: any number of them may try, and the first
 * record stays. O2 what cannot be read is left for a broker that can, and keeps none of the others from their end.
 */
export class Overdue {
  readonly #options: OverdueOptions;
  #unreadable = 0;
  #cancelTimer: () => void = () => undefined;
  #isClosed = false;

  constructor(options: OverdueOptions) {
    this.#options = options;
  }

  /** How much of it could not be read at the last look. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Looks now, and each minute from then on. */
  start(): void {
    void this.#look().finally(() => {
      if (!this.#isClosed) this.#cancelTimer = this.#options.clock.after(lookEveryMs, () => this.start());
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  async #look(): Promise<void> {
    const { queue, log } = this.#options;
    let unreadable = 0;
    try {
      for (let after: number | undefined = 0; after !== undefined && !this.#isClosed; ) {
        const page: readonly Listed[] = await queue.list("overdue", { tenantId: "*", functionName: "*", after, limit: pageLength });
        for (const overdue of page) if (!(await this.#end(overdue))) unreadable += 1;
        after = page.at(-1)?.sequence; // A page may be shorter than what there is.
      }
      this.#unreadable = unreadable;
    } catch (err) {
      log.warn({ err }, "overdue invocations not looked at; they will be");
    }
  }

  /** False when it cannot be read; throws what the bus does. */
  async #end(overdue: Listed): Promise<boolean> {
    const { queue, end, log } = this.#options;
    try {
      await end(overdue);
    } catch (err) {
      if (err instanceof LongshoreError && err.code === "unavailable") throw err;
      const { invocationId, functionName } = overdue;
      log.warn({ err, invocationId, functionName }, "overdue invocation cannot be ended by this broker");
      return false; // O2
    }
    await queue.remove(overdue); // O1
    return true;
  }
}
