import type { JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { decodeFrame } from "@longshore/protocol";
import { attempt } from "./bus-error.ts";
import type { KeptRecord } from "./kept-record.ts";
import { readMessages, type ReadMessage } from "./read-stream.ts";
import type { Session } from "./session.ts";
import { walkBack, type WalkedSubject } from "./walk-back.ts";

/** Records are read in batches of about so many bytes: one with a long answer is not a reason to hold many. */
const bytesAtOnce = 2 * 2 ** 20;
const action = "list terminal records";

/** The records on a subject of a stream, newest first; the last token of each message's subject is the invocation's id. Throws `bus_down`. */
export function readRecordsBack(session: Pick<Session, "connection" | "manager">, stream: string, subject: string, wanted: { readonly before?: string | undefined; readonly atOnce: number }): AsyncGenerator<readonly KeptRecord[], void> {
  return walkBack(walkedRecords(session, stream, subject), wanted);
}

function walkedRecords({ connection, manager }: { readonly connection: NatsConnection; readonly manager: JetStreamManager }, stream: string, subject: string): WalkedSubject<KeptRecord> {
  return {
    first: (from) => attempt(action, async () => (await readMessages(connection, stream, from, { subject, most: 1 }))[0]),
    last: () => attempt(action, async () => (await manager.direct.getMessage(stream, { last_by_subj: subject }))?.seq),
    read: (from, most) => attempt(action, async () => (await readMessages(connection, stream, from, { subject, most, maxBytes: bytesAtOnce })).map(keptRecord)),
  };
}

function keptRecord({ subject, sequence, storedAt, payload }: ReadMessage): KeptRecord {
  return { invocationId: subject.slice(subject.lastIndexOf(".") + 1), sequence, storedAt, head: headOf(payload), byteLength: payload.length };
}

/** One record that nobody can read keeps none of the others from being listed. */
function headOf(payload: Uint8Array): unknown {
  try {
    const frame = decodeFrame(payload);
    return frame.kind === "answer" ? frame.head : undefined;
  } catch {
    return undefined;
  }
}
