import type { NatsConnection } from "@nats-io/nats-core";
import { LongshoreError } from "@longshore/protocol";
import { attempt } from "./bus-error.ts";
import { BatchWriter } from "./batch-writer.ts";
import type { RestoredMessage, StreamSettings } from "./stored-message.ts";
import { WriteRefused } from "./write-refused.ts";

/** Under way at once: enough for full batches where the stream takes them, too few for any where it does not. */
const underWay = { atomic: 256, single: 5 } as const;

/**
 * Writes messages to a stream that was just made, in their order on each subject; how many. All are on disk when it resolves. Throws
 * `store_full`, or `bus_down`: the stream then holds a part.
 */
export async function fillStream(connection: NatsConnection, { name, allow_atomic }: StreamSettings, messages: AsyncIterable<RestoredMessage>): Promise<number> {
  const writer = new BatchWriter(connection);
  const most = allow_atomic === true ? underWay.atomic : underWay.single;
  return attempt(`write to stream "${name}"`, async () => {
    let count = 0;
    let group: Promise<number>[] = [];
    for await (const message of messages) {
      group.push(writer.write({ ...message, unit: message.subject }));
      count += 1;
      if (group.length < most) continue;
      await allWritten(name, group);
      group = [];
    }
    await allWritten(name, group);
    return count;
  });
}

async function allWritten(name: string, writes: readonly Promise<number>[]): Promise<void> {
  try {
    await Promise.all(writes);
  } catch (error) {
    await Promise.allSettled(writes);
    if (error instanceof WriteRefused && error.isFull) throw new LongshoreError("store_full", `Cannot write to stream "${name}": the bus has no room for it`, { cause: error });
    throw error;
  }
}
