import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import { attempt } from "./bus-error.ts";
import type { QueueKey } from "./queue-store.ts";
import { queueStreamName, queueSubject } from "./queue-subjects.ts";

const firstWithinMs = 10_000;

/** Which of these invocations have their record, by its subject. Throws `bus_down`. */
export function recordsAmong(connection: NatsConnection, keys: readonly QueueKey[]): Promise<ReadonlySet<string>> {
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
