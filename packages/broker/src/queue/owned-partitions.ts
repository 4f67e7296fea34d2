import type { QueueEntry, QueueStore } from "../bus/queue-store.ts";
import { partitionCount } from "../bus/queue-subjects.ts";
import { ownerOf } from "./owner-of.ts";
import type { PresentBrokers } from "./present-brokers.ts";

export interface OwnedPartitionsOptions {
  readonly brokerId: string;
  readonly brokers: Pick<PresentBrokers, "ids">;
  readonly queue: Pick<QueueStore, "follow">;
  /** An entry stands in one of this broker's partitions. */
  readonly stands: (entry: QueueEntry) => void;
  /** What was told of a partition is void: it will be told anew, or the partition is another's now. */
  readonly forget: (partition: number) => void;
}

/** Follows the partitions that are this broker's, and says what is queued in them. */
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
    const { queue, stands, forget } = this.#options;
    let isOwn = true;
    const follow = queue.follow(partition, {
      restarted: () => {
        if (isOwn) forget(partition);
      },
      queued: (entry) => {
        if (isOwn) stands(entry);
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
    this.#options.forget(partition);
  }
}
