import { DeliverPolicy, DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType, type StoredMsg } from "@nats-io/jetstream";
import type { Msg, MsgHdrs } from "@nats-io/nats-core";
import { decodeFrame, encodeFrame, type InvocationId, LongshoreError, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import { BatchWriter, type Condition, type Message, type Write } from "./batch-writer.ts";
import { attempt, notConnected } from "./bus-error.ts";
import { RecordsLook } from "./ended-entries.ts";
import { GhostRemoval } from "./ghost-removal.ts";
import type { KeptRecord, RecordsWanted } from "./kept-record.ts";
import { lastMessages } from "./last-messages.ts";
import { QueueFollow } from "./queue-follow.ts";
import { type Along, deadLifeMs, type Draft, type EndedHandler, type FoundInvocation, type Kept, type Listed, type ListedKind, type ListedPage, type QueuedInvocation, type QueueEntry, type QueueFollower, type QueueKey, type QueueStore, type QueueTerms, recordLifeMs } from "./queue-store.ts";
import { anythingOf, endedSubject, listingOf, parseQueueSubject, queueStreamName, queueSubject, queueSubjects } from "./queue-subjects.ts";
import { readTerms, termsHeaders } from "./queue-terms.ts";
import { readRecordsBack } from "./read-records.ts";
import type { Session } from "./session.ts";
import { WriteRefused } from "./write-refused.ts";

/** An entry that no broker ended so long after its time was over is taken out by the server: none was there to do it. */
const overdueMs = 3_600_000;

/** What is to be accepted gives way to what was accepted: a caller who would wait longer is told so, and nothing of it is stored. */
const acceptWaitsAtMostMs = 5_000;

/** A page is read within that time, or it is the shorter. */
const listWithinMs = 5_000;
const nothing = new Uint8Array(0);

interface QueueStreamOptions {
  readonly replicas: number;
  readonly log: Logger;
}

/**
 * The queue over one stream, a subject per invocation and state.
 *
 * Invariants: Q1 an id has at most one entry and one record in its tenant: each is written on the condition that there is none. Q2 the
 * record takes the entry away in the same write, so that an invocation is never in both, nor in neither.
 * Q3 but a server that was killed brings entries back that were ended, as they were before their last claim: the
 * condition of writing one anew is that nothing of its invocation is newer, so that none that has its record is claimed again. Followers
 * are not even told of those: each try would cost a batch its place, and all that was ever claimed may come back.
 */
export class QueueStream implements QueueStore {
  readonly #options: QueueStreamOptions;
  readonly #follows = new Set<QueueFollow>();
  readonly #endedHandlers: EndedHandler[] = [];
  readonly #ghosts: GhostRemoval;
  readonly #look = new RecordsLook();
  #session: Session | undefined;
  #writer: BatchWriter | undefined;

  constructor(options: QueueStreamOptions) {
    this.#options = options;
    this.#ghosts = new GhostRemoval((sequence) => this.remove({ sequence }), options.log);
  }

  /** Makes the stream where it is not there. */
  async prepare({ manager }: Session): Promise<void> {
    try {
      await manager.streams.info(queueStreamName);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
      await manager.streams.add({
        name: queueStreamName,
        subjects: [queueSubjects],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        max_msgs_per_subject: 1,
        // Schedules allow no other; with no limit but that of one message a subject nothing is ever discarded.
        discard: DiscardPolicy.Old,
        allow_direct: true,
        allow_atomic: true,
        allow_msg_ttl: true,
        allow_msg_schedules: true,
        num_replicas: this.#options.replicas,
      });
    }
  }

  onEnded(handler: EndedHandler): void {
    this.#endedHandlers.push(handler);
  }

  connectionChanged(session: Session | undefined): void {
    this.#session = session;
    this.#ghosts.clear();
    session?.connection.subscribe(endedSubject, { callback: (error, message) => this.#ended(error, message) });
    this.#writer = session === undefined ? undefined : new BatchWriter(session.connection, { lastMessages: (filters) => lastMessages(session.connection, filters) });
    for (const follow of this.#follows) follow.connectionChanged(session);
  }

  async accept(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array): Promise<boolean> {
    return (await this.#write("accept an invocation", { ...entryWrite(key, terms, head, body, lastIs(0, key)), waitsAtMostMs: acceptWaitsAtMostMs })) !== undefined; // Q1
  }

  async read(entry: QueueEntry): Promise<QueuedInvocation | undefined> {
    const stored = await this.#get("read an invocation", { seq: entry.sequence });
    if (stored === undefined || stored.subject !== queueSubject("entry", entry)) return undefined;
    return { ...entry, ...readFrame(stored) };
  }

  again(invocation: QueuedInvocation, terms: QueueTerms, head: unknown): Promise<number | undefined> {
    return this.#write("queue an invocation again", entryWrite(invocation, terms, head, invocation.body, lastIs(invocation.sequence, invocation))); // Q3
  }

  async finish(key: QueueKey, record: unknown, body: Uint8Array, { dead, followUp }: Along = {}): Promise<boolean> {
    const along = [...(dead === undefined ? [] : [deadMessage(key, dead)]), ...(followUp === undefined ? [] : [draftMessage(followUp)])];
    const write: Write = {
      ...(along.length > 0 && { along }),
      subject: queueSubject("record", key),
      // Q2: the server ends the schedule that the entry is.
      condition: { sequence: 0 },
      headers: [["Nats-Scheduler", queueSubject("entry", key)], ["Nats-Schedule-Next", "purge"], ["Nats-TTL", seconds(recordLifeMs)]],
      payload: encodeFrame({ kind: "answer", head: record, body }),
      unit: unitOf(key),
    };
    const isStored = (await this.#write("store a terminal record", write)) !== undefined;
    if (isStored) this.#session?.connection.publish(endedSubject, unitOf(key));
    return isStored;
  }

  async find(tenantId: TenantId, invocationId: InvocationId): Promise<FoundInvocation | undefined> {
    const stored = await this.#get("find an invocation", { last_by_subj: anythingOf(tenantId, invocationId) });
    const key = stored === undefined ? undefined : parseQueueSubject(stored.subject);
    if (stored === undefined || key === undefined) return undefined;
    const { kind, ...names } = key;
    if (kind === "record") return { state: "finished", ...names, ...readFrame(stored) };
    if (kind === "dead") return { state: "finished", ...names, head: (readFrame(stored).head as { record?: unknown }).record, body: nothing }; // Its record is gone by now.
    return { state: "queued", ...(kind === "overdue" && { isOverdue: true }), ...names, ...readTerms(stored.header), sequence: stored.seq, ...readFrame(stored) };
  }

  async findDead(tenantId: TenantId, invocationId: InvocationId): Promise<Listed | undefined> {
    const stored = await this.#get("find a dead letter", { last_by_subj: anythingOf(tenantId, invocationId, "dead") });
    return stored === undefined ? undefined : readListed(stored.subject, stored.seq, stored.header, stored.data);
  }

  async list(kind: ListedKind, { tenantId, functionName, after, limit }: ListedPage): Promise<readonly Listed[]> {
    const session = this.#session;
    if (session === undefined) throw notConnected("list invocations");
    return attempt("list invocations", async () => {
      const consumer = await session.jetStream.consumers.get(queueStreamName, { filter_subjects: listingOf(kind, tenantId, functionName), deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: after + 1 });
      const { num_pending: pending } = await consumer.info(true);
      const listed: Listed[] = [];
      const count = Math.min(limit, pending);
      if (count === 0) return listed;
      const messages = await consumer.fetch({ max_messages: count, expires: listWithinMs });
      for await (const { subject, seq, headers, data } of messages) {
        const each = readListed(subject, seq, headers, data);
        if (each !== undefined) listed.push(each);
      }
      return listed;
    });
  }

  async *newestFirst({ tenantId, functionName, ...wanted }: RecordsWanted): AsyncGenerator<readonly KeptRecord[], void> {
    if (this.#session === undefined) throw notConnected("list terminal records");
    yield* readRecordsBack(this.#session, queueStreamName, listingOf("record", tenantId, functionName), wanted);
  }

  count(kind: ListedKind): Promise<number> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(notConnected("count invocations"));
    return attempt("count invocations", async () => {
      const consumer = await session.jetStream.consumers.get(queueStreamName, { filter_subjects: listingOf(kind, "*", "*") });
      return (await consumer.info(true)).num_pending;
    });
  }

  async remove({ sequence }: Pick<Listed, "sequence">): Promise<void> {
    const session = this.#session;
    if (session === undefined) throw notConnected("remove what is stored of an invocation");
    await attempt("remove what is stored of an invocation", async () => {
      try {
        await session.manager.streams.deleteMessage(queueStreamName, sequence, false);
      } catch (error) {
        // The server has no code of its own for what somebody else removed.
        if (!(error instanceof JetStreamApiError) || (await session.manager.direct.getMessage(queueStreamName, { seq: sequence })) !== null) throw error;
      }
    });
  }

  follow(partition: number | "all", follower: QueueFollower): { readonly ready: Promise<void>; close(): void } {
    const follow = new QueueFollow({ partition, follower, look: this.#look, ghost: ({ sequence }) => this.#ghosts.add(sequence), log: this.#options.log });
    this.#follows.add(follow);
    follow.connectionChanged(this.#session);
    return {
      ready: follow.ready,
      close: () => {
        this.#follows.delete(follow);
        follow.close();
      },
    };
  }

  #ended(error: Error | null, message: Msg): void {
    if (error !== null) return;
    const [tenantId, invocationId] = message.string().split(".");
    if (invocationId === undefined) return;
    for (const follow of this.#follows) follow.ended({ tenantId: tenantId as TenantId, invocationId: invocationId as InvocationId });
    for (const handler of this.#endedHandlers) handler(tenantId as TenantId, invocationId as InvocationId);
  }

  /** The sequence; undefined when its condition did not hold. */
  #write(action: string, write: Write): Promise<number | undefined> {
    const writer = this.#writer;
    if (writer === undefined) throw notConnected(action);
    return attempt(action, async () => {
      try {
        return await writer.write(write);
      } catch (error) {
        if (!(error instanceof WriteRefused)) throw error;
        if (error.isConflict) return undefined;
        if (error.isFull) throw new LongshoreError("store_full", `Cannot ${action}: the bus has no room for it`, { phase: "admission", retryAfterMs: 5_000, cause: error });
        throw error;
      }
    });
  }

  #get(action: string, query: { readonly seq: number } | { readonly last_by_subj: string }): Promise<StoredMsg | undefined> {
    const session = this.#session;
    if (session === undefined) throw notConnected(action);
    return attempt(action, async () => {
      const stored = await session.manager.direct.getMessage(queueStreamName, query);
      if (stored !== null || this.#options.replicas === 1) return stored ?? undefined;
      // A replica may lag behind what was confirmed: its leader does not.
      return (await session.manager.streams.getMessage(queueStreamName, query)) ?? undefined;
    });
  }
}

function deadMessage(key: QueueKey, { head, body }: Kept): Message {
  return { subject: queueSubject("dead", key), headers: [["Nats-TTL", seconds(deadLifeMs)]], payload: encodeFrame({ kind: "open", head, body }) };
}

function draftMessage({ terms, head, body, ...key }: Draft): Message {
  return entryWrite(key, terms, head, body, lastIs(0, key)); // Q1
}

function entryWrite(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array, condition: Condition): Write {
  const overdueAt = new Date(Math.max(terms.expiresAtMs, terms.sentUntilMs) + overdueMs).toISOString();
  return {
    subject: queueSubject("entry", key),
    condition,
    headers: [...termsHeaders(terms), ["Nats-Schedule", `@at ${overdueAt}`], ["Nats-Schedule-Target", queueSubject("overdue", key)]],
    payload: encodeFrame({ kind: "open", head, body }),
    unit: unitOf(key),
  };
}

/** Of whatever stands of an invocation. */
const lastIs = (sequence: number, { tenantId, invocationId }: QueueKey): Condition => ({ sequence, filter: anythingOf(tenantId, invocationId) });

function readListed(subject: string, sequence: number, headers: MsgHdrs | undefined, data: Uint8Array): Listed | undefined {
  const key = parseQueueSubject(subject);
  if (key === undefined) return undefined;
  const { kind: _kind, ...names } = key;
  return { ...names, sequence, terms: readTerms(headers), ...readFrameIfWhole(data) };
}

/** One message that nobody can read keeps none of the others from being listed. */
function readFrameIfWhole(data: Uint8Array): ReturnType<typeof readFrame> {
  try {
    return readFrame({ data });
  } catch {
    return { head: undefined, body: nothing };
  }
}

const seconds = (ms: number) => `${Math.ceil(ms / 1000)}s`;
const unitOf = ({ tenantId, invocationId }: QueueKey) => `${tenantId}.${invocationId}`;

function readFrame(stored: Pick<StoredMsg, "data">): { readonly head: unknown; readonly body: Uint8Array } {
  const frame = decodeFrame(stored.data);
  if (frame.kind !== "open" && frame.kind !== "answer") throw new LongshoreError("bad_frame", `Cannot read what is stored of an invocation: a frame of kind "${frame.kind}"`);
  return { head: frame.head, body: frame.body };
}
