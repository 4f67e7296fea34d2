import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import { queueStreamName } from "./queue-subjects.ts";

const firstWithinMs = 10_000;
/** A filter of an invocation's messages matches its entry, its record, its dead letter and one that is overdue. */
const perFilter = 4;

/** The last messages on some subjects of the queue. */
export interface LastMessages {
  /** Their sequences, by subject. */
  readonly sequences: ReadonlyMap<string, number>;
  /** False: the server tells of so many bytes at a time, and there are more. */
  readonly isWhole: boolean;
}

/** Asks for the last message on each subject that one of these filters matches. Throws where nobody answers, or not to the end. */
export async function lastMessages(connection: NatsConnection, filters: readonly string[]): Promise<LastMessages> {
  const inbox = createInbox();
  const answers = connection.subscribe(inbox, { timeout: firstWithinMs });
  const sequences = new Map<string, number>();
  try {
    connection.publish(`$JS.API.DIRECT.GET.${queueStreamName}`, JSON.stringify({ multi_last: filters, batch: perFilter * filters.length }), { reply: inbox });
    for await (const { headers } of answers) {
      const code = headers?.code ?? 0;
      if (code === 204) return { sequences, isWhole: Number(headers?.get("Nats-Num-Pending") ?? 0) === 0 };
      if (code === 404) return { sequences, isWhole: true };
      if (code !== 0) throw new Error(code === 503 ? "no server answers for it" : (headers?.description ?? `status ${code}`));
      sequences.set(headers?.get("Nats-Subject") ?? "", Number(headers?.get("Nats-Sequence")));
    }
    throw new Error("the connection to the bus was lost");
  } finally {
    answers.unsubscribe();
  }
}
