import { headers as createHeaders, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/nats-core";
import { LongshoreError } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import type { LastMessages } from "./last-messages.ts";
import { WriteRefused } from "./write-refused.ts";

/** One message for the stream. */
export interface Message {
  readonly subject: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly payload: Uint8Array;
  readonly condition?: Condition;
}

/** The write holds only if the last message on its subject, or on the filter given, has that sequence; 0: there is none. */
export interface Condition {
  readonly sequence: number;
  readonly filter?: string;
}

/** A message that its writer wants to know the fate of. */
export interface Write extends Message {
  /** Writes of the same unit never go in one batch: the server would not hold the conditions of one against the other. */
  readonly unit: string;
  /** Stored with it or not at all, before it. */
  readonly along?: readonly Message[];
  /** It is not sent once it has waited longer than that for its turn; milliseconds. */
  readonly waitsAtMostMs?: number;
}

interface Pending {
  readonly write: Write;
  readonly sinceMs: number;
  readonly resolve: (sequence: number) => void;
  readonly reject: (error: unknown) => void;
}

/** A batch costs four synced writes whatever its size, so that fewer than that go singly. */
const fewestInBatch = 6;
const mostInBatch = 64;
const mostBytesInBatch = 4 * 2 ** 20;
/** JetStream's code for a condition that did not hold. */
const wrongLastSequence = 10_071;
/** A server that has not answered by then may or may not have written. */
const answerWithinMs = 5_000;

export interface BatchWriterOptions {
  /** What stands on the subjects that these filters match; absent: it writes nothing on conditions. */
  readonly lastMessages?: (filters: readonly string[]) => Promise<LastMessages>;
  /** Milliseconds that only grow. */
  readonly now?: () => number;
}

/**
 * Writes to a stream that syncs each write: what gathers while one group is under way goes as the next one, in an atomic batch where
 * there is enough of it. So a lone write waits for nobody, and many share their syncs.
 *
 * Invariants: B1 each write is answered once: by its sequence, by WriteRefused, or by whatever kept its fate from being known. B2 a
 * batch that is refused says nothing of its parts: those whose condition does not hold are refused, and the others go once more, together; or each
 * by itself, where nobody can tell which they are. B3 one group is under way at a time. B4 what waits no
 * longer than so long is never sent after that: who asked for it has gone by then, or asks again, and each that is written twice
 * costs a whole batch its place.
 */
export class BatchWriter {
  readonly #connection: Pick<NatsConnection, "publish" | "request">;
  readonly #options: BatchWriterOptions;
  #waiting: Pending[] = [];
  #isBusy = false;

  constructor(connection: Pick<NatsConnection, "publish" | "request">, options: BatchWriterOptions = {}) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Resolves with its sequence once it is stored. Rejects with WriteRefused, with `bus_down` where it waited too long, or with the client's error where nobody can tell. */
  write(write: Write): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, sinceMs: this.#nowMs, resolve, reject });
      if (!this.#isBusy) void this.#work();
    });
  }

  get #nowMs(): number {
    return this.#options.now?.() ?? performance.now();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    await Promise.resolve(); // What is written in the same turn goes along.
    for (;;) {
      this.#refuseLate(); // B4
      const group = this.#takeGroup();
      if (group.length === 0) break;
      if (group.length < fewestInBatch) await Promise.all(group.map((pending) => this.#writeAlone(pending)));
      else await this.#writeTogether(group); // B3
    }
    this.#isBusy = false;
  }

  #refuseLate(): void {
    const nowMs = this.#nowMs;
    const isLate = ({ write: { waitsAtMostMs = Infinity }, sinceMs }: Pending) => nowMs - sinceMs > waitsAtMostMs;
    const late = this.#waiting.filter(isLate);
    if (late.length === 0) return;
    this.#waiting = this.#waiting.filter((pending) => !isLate(pending));
    for (const { reject } of late) reject(new LongshoreError("bus_down", "Nothing was written: the bus writes less than there is to write", { retryAfterMs: 1_000 }));
  }

  #takeGroup(): Pending[] {
    const units = new Set<string>();
    let [bytes, messages, count] = [0, 0, 0];
    for (const { write } of this.#waiting) {
      const own = messagesOf(write);
      bytes += own.reduce((sum, { payload }) => sum + payload.length, 0);
      messages += own.length;
      if (units.has(write.unit) || (count > 0 && (messages > mostInBatch || bytes > mostBytesInBatch))) break;
      units.add(write.unit);
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writeAlone({ write, resolve, reject }: Pending): Promise<void> {
    try {
      const messages = messagesOf(write);
      const answer = messages.length === 1 ? this.#request(write, headersOf(write)) : this.#sendBatch(messages);
      resolve(readAnswer(await answer).sequence);
    } catch (error) {
      reject(error);
    }
  }

  async #writeTogether(group: readonly Pending[], isAgain = false): Promise<void> {
    const messages = group.flatMap(({ write }) => messagesOf(write));
    try {
      const { sequence } = readAnswer(await this.#sendBatch(messages));
      const first = sequence - messages.length + 1;
      for (const { write, resolve } of group) resolve(first + messages.indexOf(write));
    } catch (error) {
      if (!(error instanceof WriteRefused)) return group.forEach(({ reject }) => reject(error));
      const rest = error.isConflict && !isAgain ? await this.#refuseConflicts(group) : group; // B2
      if (rest.length < group.length && rest.length >= fewestInBatch) await this.#writeTogether(rest, true);
      else await Promise.all(rest.map((pending) => this.#writeAlone(pending)));
    }
  }

  /** Refuses those whose condition does not hold; the others, which is all where nobody can tell. */
  async #refuseConflicts(group: readonly Pending[]): Promise<readonly Pending[]> {
    const filters = group.flatMap(({ write }) => messagesOf(write)).flatMap((message) => (message.condition === undefined ? [] : [filterOf(message)]));
    const last = await this.#options.lastMessages?.(filters).catch(() => undefined);
    if (last?.isWhole !== true) return group;
    // A replica may lag behind: nothing is refused for what it has not yet.
    const isConflict = (message: Message) => message.condition !== undefined && lastOn(filterOf(message), last.sequences) > message.condition.sequence;
    const isRefused = ({ write }: Pending) => messagesOf(write).some(isConflict);
    for (const pending of group) if (isRefused(pending)) pending.reject(new WriteRefused(wrongLastSequence, "wrong last sequence"));
    return group.filter((pending) => !isRefused(pending));
  }

  #sendBatch(messages: readonly Message[]): Promise<Msg> {
    const batchId = randomBytes(12).toString("base64url");
    let last: Promise<Msg> | undefined;
    for (const [index, message] of messages.entries()) {
      const headers = headersOf(message);
      headers.set("Nats-Batch-Id", batchId);
      headers.set("Nats-Batch-Sequence", String(index + 1));
      if (index < messages.length - 1) {
        this.#connection.publish(message.subject, message.payload, { headers });
      } else {
        headers.set("Nats-Batch-Commit", "1");
        last = this.#request(message, headers);
      }
    }
    if (last === undefined) throw new Error("A batch has at least one message");
    return last;
  }

  #request(write: Message, headers: MsgHdrs): Promise<Msg> {
    return this.#connection.request(write.subject, write.payload, { headers, timeout: answerWithinMs });
  }
}

/** In the order in which they are stored. */
function messagesOf(write: Write): readonly Message[] {
  return write.along === undefined ? [write] : [...write.along, write];
}

function headersOf({ headers: own, condition }: Message): MsgHdrs {
  const headers = createHeaders();
  if (condition !== undefined) headers.set("Nats-Expected-Last-Subject-Sequence", String(condition.sequence));
  if (condition?.filter !== undefined) headers.set("Nats-Expected-Last-Subject-Sequence-Subject", condition.filter);
  for (const [name, value] of own) headers.set(name, value);
  return headers;
}

const filterOf = ({ subject, condition }: Message) => condition?.filter ?? subject;

/** The last sequence on any subject that the filter matches; 0: there is none. */
function lastOn(filter: string, sequences: ReadonlyMap<string, number>): number {
  const tokens = filter.split(".");
  const isMatch = (subject: string) => subject.split(".").every((token, index) => tokens[index] === "*" || tokens[index] === token);
  return Math.max(0, ...[...sequences].filter(([subject]) => isMatch(subject)).map(([, sequence]) => sequence));
}

/** The server's answer to a write, read by hand: the client's own batches hide what an answer says. */
function readAnswer(message: Msg): { readonly sequence: number } {
  const answer = message.json<{ seq?: number; error?: { err_code?: number; description?: string } }>();
  if (answer.error !== undefined) throw new WriteRefused(answer.error.err_code ?? 0, answer.error.description ?? "refused");
  if (typeof answer.seq !== "number") throw new Error("The server's answer to a write has no sequence");
  return { sequence: answer.seq };
}
