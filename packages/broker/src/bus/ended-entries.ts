import type { NatsConnection } from "@nats-io/nats-core";
import { setTimeout as delay } from "node:timers/promises";
import { attempt } from "./bus-error.ts";
import { lastMessages } from "./last-messages.ts";
import type { QueueKey } from "./queue-store.ts";
import { queueSubject } from "./queue-subjects.ts";

const mostTries = 5;
const againAfterMs = 1_000;

/** Looks for records, one question at a time: a server that has just begun may take seconds for each, in which it does nothing else for us. */
export class RecordsLook {
  #last: Promise<unknown> = Promise.resolve();

  /** Which of these invocations have their record, by its subject. Tries a few times, until the signal is aborted; throws `bus_down`. */
  among(connection: NatsConnection, keys: readonly QueueKey[], signal: AbortSignal): Promise<ReadonlySet<string>> {
    const found = this.#last.then(() => tried(connection, keys, signal));
    this.#last = found.catch(() => undefined);
    return found;
  }
}

async function tried(connection: NatsConnection, keys: readonly QueueKey[], signal: AbortSignal): Promise<ReadonlySet<string>> {
  for (let tries = 1; ; tries += 1) {
    try {
      signal.throwIfAborted();
      return await recordsAmong(connection, keys);
    } catch (error) {
      if (signal.aborted || tries >= mostTries) throw error;
      await delay(againAfterMs, undefined, { signal });
    }
  }
}

function recordsAmong(connection: NatsConnection, keys: readonly QueueKey[]): Promise<ReadonlySet<string>> {
  return attempt("look for records", async () => {
    const subjects = keys.map((key) => queueSubject("record", key));
    const found = new Set<string>();
    for (;;) {
      const { sequences, isWhole } = await lastMessages(connection, subjects.filter((subject) => !found.has(subject)));
      for (const subject of sequences.keys()) found.add(subject);
      if (isWhole || sequences.size === 0) return found;
    }
  });
}
