import type { AgentId, InvocationId, TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { QueueEntry } from "../bus/queue-store.ts";
import { partitionOf } from "../bus/queue-subjects.ts";
import type { Clock } from "../clock.ts";
import { unheardMs } from "./limits.ts";

export interface SentWorkOptions {
  /** False for an agent whose credential was taken back: it cannot say anything any more. */
  readonly canSpeak: (agentId: AgentId) => boolean;
  /** Nobody will say what became of it. */
  readonly abandoned: (entry: QueueEntry) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

const lookEveryMs = 5_000;

/**
 * What agents have of this broker's partitions. An agent that is cut off may come back within the hour and say what became of it; one
 * that was revoked cannot: its attempts are over with their own time, since until then they may still run.
 */
export class SentWork {
  readonly #options: SentWorkOptions;
  readonly #entries = new Map<string, QueueEntry>();
  #cancelTimer: (() => void) | undefined;
  #isClosed = false;

  constructor(options: SentWorkOptions) {
    this.#options = options;
  }

  /** An entry stands; it takes the place of an earlier one of the same invocation. */
  stands(entry: QueueEntry): void {
    if (entry.sentTo === undefined) return void this.#entries.delete(idOf(entry));
    this.#entries.set(idOf(entry), entry);
    this.#cancelTimer ??= this.#options.clock.after(lookEveryMs, () => void this.#look());
  }

  ended(tenantId: TenantId, invocationId: InvocationId): void {
    this.#entries.delete(idOf({ tenantId, invocationId }));
  }

  /** They will be told anew, or are another broker's now. */
  forget(partition: number): void {
    for (const [id, entry] of this.#entries) if (partitionOf(entry) === partition) this.#entries.delete(id);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#entries.clear();
  }

  async #look(): Promise<void> {
    const { canSpeak, abandoned, clock, log } = this.#options;
    const nowMs = clock.date().getTime();
    for (const [id, entry] of [...this.#entries]) {
      if (entry.sentTo === undefined || entry.sentUntilMs - unheardMs > nowMs || canSpeak(entry.sentTo.agentId)) continue;
      try {
        await abandoned(entry);
        if (this.#entries.get(id) === entry) this.#entries.delete(id); // Its next attempt may stand already.
      } catch (err) {
        log.warn({ err, agentId: entry.sentTo.agentId, invocationId: entry.invocationId }, "attempt at a revoked agent not ended; it will be");
      }
    }
    this.#cancelTimer = this.#entries.size > 0 && !this.#isClosed ? clock.after(lookEveryMs, () => void this.#look()) : undefined;
  }
}

const idOf = ({ tenantId, invocationId }: Pick<QueueEntry, "tenantId" | "invocationId">) => `${tenantId}.${invocationId}`;
