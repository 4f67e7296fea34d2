import { headerOf, type StoredMessage, type StreamSettings } from "../bus/stored-message.ts";

/**
 * Which of the messages that were read, in the order of their sequences, stand at the end: on a subject that keeps one message the last
 * one, and no schedule that a later message ended. Of a stream that keeps more on a subject, everything does.
 */
export class StandingMessages {
  readonly #keepsOne: boolean;
  readonly #lastOf = new Map<string, number>();

  constructor({ max_msgs_per_subject }: Pick<StreamSettings, "max_msgs_per_subject">) {
    this.#keepsOne = max_msgs_per_subject === 1;
  }

  read(message: Pick<StoredMessage, "subject" | "sequence" | "headers">): void {
    if (!this.#keepsOne) return;
    this.#lastOf.set(message.subject, message.sequence);
    const schedule = headerOf(message, "Nats-Scheduler");
    // The server's own rule: such a write takes away the schedule that it names.
    if (schedule !== undefined && headerOf(message, "Nats-Schedule-Next") === "purge") this.#lastOf.delete(schedule);
  }

  /** Once all are read. */
  stands({ subject, sequence }: Pick<StoredMessage, "subject" | "sequence">): boolean {
    return !this.#keepsOne || this.#lastOf.get(subject) === sequence;
  }
}
