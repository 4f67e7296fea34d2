import type { QueueEntry, QueueKey } from "./queue-store.ts";

type Invocation = Pick<QueueKey, "tenantId" | "invocationId">;

/** Entries that a follower was told of and that have not ended since, as far as it heard: by them one that a server brings back is told from one that it kept. */
export class ToldEntries {
  readonly #sequences = new Map<string, number>();
  #last = 0;

  add(entry: Invocation & Pick<QueueEntry, "sequence">): void {
    this.#sequences.set(unitOf(entry), entry.sequence);
    this.#last = Math.max(this.#last, entry.sequence);
  }

  /** Its invocation has its record. */
  ended(invocation: Invocation): void {
    this.#sequences.delete(unitOf(invocation));
  }

  /** A later entry of its invocation was told. */
  hasLater(entry: Invocation & Pick<QueueEntry, "sequence">): boolean {
    return (this.#sequences.get(unitOf(entry)) ?? 0) > entry.sequence;
  }

  /** It may have ended: it was there when these were told, and is not among them. Of what came after them all nobody knows more than the server. */
  isDoubtful(entry: Invocation & Pick<QueueEntry, "sequence">): boolean {
    return entry.sequence <= this.#last && this.#sequences.get(unitOf(entry)) !== entry.sequence;
  }
}

const unitOf = ({ tenantId, invocationId }: Invocation) => `${tenantId}.${invocationId}`;
