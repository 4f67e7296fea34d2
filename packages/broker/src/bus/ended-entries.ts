import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import { setTimeout as delay } from "node:timers/promises";
import { attempt } from "./bus-error.ts";
import type { QueueKey } from "./queue-store.ts";
import { queueStreamName, queueSubject } from "./queue-subjects.ts";

const firstWithinMs = 10_000;
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
      const { subjects: some, isWhole } = await lastMessages(connection, subjects.filter((subject) => !found.has(subject)));
      for (const subject of some) found.add(subject);
      if (isWhole || some.length === 0) return found;
    }
  });
}

/** On which of these subjects something stands; not whole: the server tells of so many bytes at a time. */
async function lastMessages(connection: NatsConnection, subjects: readonly string[]): Promise<{ readonly subjects: readonly string[]; readonly isWhole: boolean }> {
  const inbox = createInbox();
  const answers = connection.subscribe(inbox, { timeout: firstWithinMs });
  const found: string[] = [];
  try {
    connection.publish(`$JS.API.DIRECT.GET.${queueStreamName}`, JSON.stringify({ multi_last: subjects, batch: subjects.length }), { reply: inbox });
    for await (const { headers } of answers) {
      const code = headers?.code ?? 0;
      if (code === 204) return { subjects: found, isWhole: Number(headers?.get("Nats-Num-Pending") ?? 0) === 0 };
      if (code === 404) return { subjects: found, isWhole: true };
      if (code !== 0) throw new Error(code === 503 ? "no server answers for it" : (headers?.description ?? `status ${code}`));
      found.push(headers?.get("Nats-Subject") ?? "");
    }
    throw new Error("the connection to the bus was lost");
  } finally {
    answers.unsubscribe();
  }
}
