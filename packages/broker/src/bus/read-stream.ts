import { createInbox, type Msg, type NatsConnection } from "@nats-io/nats-core";
import { LongshoreError } from "@longshore/protocol";
import { attempt } from "./bus-error.ts";
import { instantOf } from "./instant.ts";
import type { MessageHeader, StoredMessage } from "./stored-message.ts";
import { hasMessageFrom } from "./stream-api.ts";

const messagesAtOnce = 512;
const bytesAtOnce = 4 * 2 ** 20;
const firstWithinMs = 10_000;
/** How often a stream that is being written to may be ahead again before we give it up: minutes. */
const maxChases = 100_000;

/** Told of what was read, in order; awaited, so that nothing gathers. */
export type TakeMessages = (messages: readonly StoredMessage[]) => Promise<void>;

/**
 * Reads a stream on disk from its first message until there is none after the last one read, so that what was read holds everything
 * that stood at that one moment. Throws `bus_down`.
 *
 * A server's snapshot is no such thing: it walks from a first to a last sequence fixed at its beginning (nats-server 2.15,
 * `stream_backup.go`), and what is written anew beyond the last while it walks (a claimed entry, its record) is in it neither as it was nor as it is.
 *
 * Invariants: W1 messages are read in the order of their sequences. W2 the end is where the stream's leader has no message beyond what
 * was read. Whatever stood then stood when the walk came by it (W1), or was put in the place of something later, which would be beyond (W2).
 * So all that stood was read; beside it what stood only for a part of the time. What later messages replaced or ended of that, the backup's
 * StandingMessages leaves out; what was deleted by its sequence meanwhile (a dead letter that was submitted again) cannot be told, and stays.
 */
export async function readStream(connection: NatsConnection, name: string, take: TakeMessages): Promise<void> {
  let last = 0;
  for (let chases = 0; chases < maxChases; chases += 1) {
    last = await readOn(connection, name, last, take);
    if (!(await hasMessageFrom(connection, name, last + 1))) return; // W2
  }
  throw new LongshoreError("bus_down", `Cannot read stream "${name}": it is written to faster than it can be read`);
}

/** Reads what there is after a sequence; the last one read. */
async function readOn(connection: NatsConnection, name: string, after: number, take: TakeMessages): Promise<number> {
  let last = after;
  for (;;) {
    const messages = await attempt(`read stream "${name}"`, () => readMessages(connection, name, last + 1));
    if (messages.length === 0) return last;
    await take(messages);
    last = messages.at(-1)?.sequence ?? last;
  }
}

/** A message as a reading of several gives it. */
export interface ReadMessage extends StoredMessage {
  /** The instant at which the server stored it. */
  readonly storedAt: string;
  /** How many stand behind it on the subject that was asked for. */
  readonly following: number;
}

/** Some messages from a sequence (or an instant) on, in their order; none where there are none (or where the server that was asked has not got them yet). Throws the client's errors. */
export async function readMessages(connection: NatsConnection, name: string, from: number | string, { subject = ">", maxBytes = bytesAtOnce, most = messagesAtOnce } = {}): Promise<ReadMessage[]> {
  const inbox = createInbox();
  const answers = connection.subscribe(inbox, { timeout: firstWithinMs });
  const messages: ReadMessage[] = [];
  try {
    const start = typeof from === "number" ? { seq: from } : { start_time: from };
    connection.publish(`$JS.API.DIRECT.GET.${name}`, JSON.stringify({ ...start, batch: Math.min(most, messagesAtOnce), max_bytes: maxBytes, next_by_subj: subject }), { reply: inbox });
    for await (const answer of answers) {
      const code = answer.headers?.code ?? 0;
      if (code === 204 || code === 404) return messages;
      if (code !== 0) throw new Error(code === 503 ? "no server answers for it" : (answer.headers?.description ?? `status ${code}`));
      messages.push(storedMessage(answer));
    }
    throw new Error("the connection to the bus was lost");
  } finally {
    answers.unsubscribe();
  }
}

/** What the server adds when it hands out a message. */
const added: ReadonlySet<string> = new Set(["Nats-Stream", "Nats-Subject", "Nats-Sequence", "Nats-Time-Stamp", "Nats-Num-Pending", "Nats-Last-Sequence", "Nats-UpTo-Sequence"]);

function storedMessage({ headers, data }: Msg): ReadMessage {
  if (headers === undefined) throw new Error("a message came without its sequence");
  const sequence = Number(headers.get("Nats-Sequence"));
  const storedAtMs = Date.parse(headers.get("Nats-Time-Stamp"));
  if (!Number.isSafeInteger(sequence) || sequence < 1 || Number.isNaN(storedAtMs)) throw new Error("a message came without its sequence");
  const own = [...headers].flatMap(([name, values]) => (added.has(name) ? [] : values.map((value): MessageHeader => [name, value])));
  return { subject: headers.get("Nats-Subject"), sequence, storedAtMs, storedAt: instantOf(headers.get("Nats-Time-Stamp")), following: Number(headers.get("Nats-Num-Pending")), headers: own, payload: data };
}
