import type { AttemptKey, KeptResult } from "../../journal/outbox.ts";
import type { BegunAttempt } from "../../journal/start-log.ts";
import type { AcceptedWorkOptions } from "../accepted-work.ts";

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId} ${attempt}`;

/** An agent's disk, without one: what it keeps outlives the "processes" that are given it. */
export class MemoryJournal {
  readonly begun = new Map<string, BegunAttempt>();
  readonly kept = new Map<string, KeptResult>();
  /** What was written, in order. */
  readonly written: string[] = [];
  /** What was kept, and cannot be read any more. */
  readonly damaged = new Set<string>();
  isUnreadableNow = false;
  hasRoom = true;
  /** Thrown by every write while it is set. */
  failing: Error | undefined;

  /** As a process finds them when it starts. */
  open(): Pick<AcceptedWorkOptions, "starts" | "outbox"> {
    const { begun, kept, damaged } = this;
    const isUnreadableNow = () => this.isUnreadableNow;
    const write = async (what: string): Promise<void> => {
      await Promise.resolve();
      if (this.failing !== undefined) throw this.failing;
      this.written.push(what);
    };
    const hasRoom = () => this.hasRoom;
    return {
      starts: {
        interrupted: [...begun.values()],
        async begin(attempt) {
          await write(`begin ${nameOf(attempt)}`);
          begun.set(nameOf(attempt), attempt);
        },
        end: (key) => void begun.delete(nameOf(key)),
      },
      outbox: {
        get roomBytes() {
          return hasRoom() ? 1_000_000 : 0;
        },
        waiting: [...kept.values()],
        async keep(result) {
          await write(`keep ${nameOf(result)}`);
          kept.set(nameOf(result), result);
          damaged.delete(nameOf(result));
        },
        async read(key) {
          if (isUnreadableNow()) throw new Error("EMFILE");
          return damaged.has(nameOf(key)) ? undefined : kept.get(nameOf(key));
        },
        settle: (key) => Promise.resolve(void kept.delete(nameOf(key))),
      },
    };
  }
}
