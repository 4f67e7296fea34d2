import type { QueueStore } from "../bus/queue-store.ts";
import { partitionCount } from "../bus/queue-subjects.ts";
import { ownerOf } from "./owner-of.ts";
import type { PresentBrokers } from "./present-brokers.ts";
import type { QueueIndex } from "./queue-index.ts";

export interface OwnedPartitionsOptions {
  readonly brokerId: string;
  readonly brokers: Pick<PresentBrokers, "ids">;
  readonly queue: Pick<QueueStore, "follow">;
  readonly index: QueueIndex;
  /** Epoch milliseconds. */
  readonly nowMs: () => number;
  /** There may be something to be tried that was not there before. */
  readonly changed: () => void;
}

/** Follows the partitions that are this broker's, and keeps its index to what is queued in them. */
export class OwnedPartitions {
  readonly #options: OwnedPartitionsOptions;
  readonly #followed = new Map<number, { close(): void }>();

  constructor(options: OwnedPartitionsOptions) {
    this.#options = options;
  }

  get numbers(): readonly number[] {
    return [...this.#followed.keys()];
  }

  /** Brokers came or went: takes up what is this one's now, and lets go of the rest. What was handed out goes on. */
  reconsider(): void {
    const { brokerId, brokers } = this.#options;
    const { ids } = brokers;
    for (let partition = 0; partition < partitionCount; partition += 1) {
      const isOwn = ownerOf(partition, ids) === brokerId;
      if (isOwn && !this.#followed.has(partition)) this.#take(partition);
      if (!isOwn) this.#leave(partition);
    }
  }

  close(): void {
    for (const partition of this.numbers) this.#leave(partition);
  }

  #take(partition: number): void {
    const { queue, index, nowMs, changed } = this.#options;
    let isOwn = true;
    const follow = queue.follow(partition, {
      restarted: () => {
        if (isOwn) index.forget(partition);
      },
      queued: (entry) => {
        if (!isOwn) return;
        index.add(entry, nowMs());
        changed();
      },
    });
    this.#followed.set(partition, {
      close: () => {
        isOwn = false;
        follow.close();
      },
    });
  }

  #leave(partition: number): void {
    const followed = this.#followed.get(partition);
    if (followed === undefined) return;
    this.#followed.delete(partition);
    followed.close();
    this.#options.index.forget(partition);
  }
}
