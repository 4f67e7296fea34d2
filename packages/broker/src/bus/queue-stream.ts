import { DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType, type StoredMsg } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/nats-core";
import { decodeFrame, encodeFrame, type InvocationId, LongshoreError, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import { BatchWriter, type Write } from "./batch-writer.ts";
import { attempt, notConnected } from "./bus-error.ts";
import { QueueFollow } from "./queue-follow.ts";
import type { EndedHandler, FoundInvocation, QueuedInvocation, QueueEntry, QueueFollower, QueueKey, QueueStore, QueueTerms } from "./queue-store.ts";
import { anythingOf, endedSubject, parseQueueSubject, queueStreamName, queueSubject, queueSubjects } from "./queue-subjects.ts";
import { readTerms, termsHeaders } from "./queue-terms.ts";
import type { Session } from "./session.ts";
import { WriteRefused } from "./write-refused.ts";

/** How long a terminal record can be asked for. */
const recordLifeSeconds = 7 * 24 * 3600;
/** An entry that no broker ended so long after its time was over is taken out by the server: none was there to do it. */
const overdueMs = 3_600_000;

interface QueueStreamOptions {
  readonly replicas: number;
  readonly log: Logger;
}

/**
 * The queue over one stream, a subject per invocation and state.
 *
 * Invariants: Q1 an id has at most one entry and one record in its tenant: each is written on the condition that there is none. Q2 the
 * record takes the entry away in the same write, so that an invocation is never in both, nor in neither.
 */
export class QueueStream implements QueueStore {
  readonly #options: QueueStreamOptions;
  readonly #follows = new Set<QueueFollow>();
  readonly #endedHandlers: EndedHandler[] = [];
  #session: Session | undefined;
  #writer: BatchWriter | undefined;

  constructor(options: QueueStreamOptions) {
    this.#options = options;
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
    session?.connection.subscribe(endedSubject, { callback: (error, message) => this.#ended(error, message) });
    this.#writer = session === undefined ? undefined : new BatchWriter(session.connection);
    for (const follow of this.#follows) follow.connectionChanged(session);
  }

  async accept(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array): Promise<boolean> {
    const isNew = expecting(0, anythingOf(key.tenantId, key.invocationId)); // Q1
    return (await this.#write("accept an invocation", entryWrite(key, terms, head, body, isNew))) !== undefined;
  }

  async read(entry: QueueEntry): Promise<QueuedInvocation | undefined> {
    const stored = await this.#get("read an invocation", { seq: entry.sequence });
    if (stored === undefined || stored.subject !== queueSubject("entry", entry)) return undefined;
    return { ...entry, ...readFrame(stored) };
  }

  again(invocation: QueuedInvocation, terms: QueueTerms, head: unknown): Promise<number | undefined> {
    return this.#write("queue an invocation again", entryWrite(invocation, terms, head, invocation.body, expecting(invocation.sequence)));
  }

  async finish(key: QueueKey, record: unknown, body: Uint8Array): Promise<boolean> {
    const write: Write = {
      subject: queueSubject("record", key),
      // Q2: the server ends the schedule that the entry is.
      headers: [...expecting(0), ["Nats-Scheduler", queueSubject("entry", key)], ["Nats-Schedule-Next", "purge"], ["Nats-TTL", `${recordLifeSeconds}s`]],
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
    return { state: "queued", ...names, ...readTerms(stored.header), sequence: stored.seq, ...readFrame(stored) };
  }

  follow(partition: number, follower: QueueFollower): { readonly ready: Promise<void>; close(): void } {
    const follow = new QueueFollow(partition, follower, this.#options.log);
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
    if (invocationId !== undefined) for (const handler of this.#endedHandlers) handler(tenantId as TenantId, invocationId as InvocationId);
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

function entryWrite(key: QueueKey, terms: QueueTerms, head: unknown, body: Uint8Array, condition: Write["headers"]): Write {
  const overdueAt = new Date(Math.max(terms.expiresAtMs, terms.sentUntilMs) + overdueMs).toISOString();
  return {
    subject: queueSubject("entry", key),
    headers: [...condition, ...termsHeaders(terms), ["Nats-Schedule", `@at ${overdueAt}`], ["Nats-Schedule-Target", queueSubject("overdue", key)]],
    payload: encodeFrame({ kind: "open", head, body }),
    unit: unitOf(key),
  };
}

/** The write holds only if the last message on its subject, or on the one given, has that sequence; 0: there is none. */
function expecting(sequence: number, subject?: string): Write["headers"] {
  const condition: Write["headers"] = [["Nats-Expected-Last-Subject-Sequence", String(sequence)]];
  return subject === undefined ? condition : [...condition, ["Nats-Expected-Last-Subject-Sequence-Subject", subject]];
}

const unitOf = ({ tenantId, invocationId }: QueueKey) => `${tenantId}.${invocationId}`;

function readFrame(stored: StoredMsg): { readonly head: unknown; readonly body: Uint8Array } {
  const frame = decodeFrame(stored.data);
  if (frame.kind !== "open" && frame.kind !== "answer") throw new LongshoreError("bad_frame", `Cannot read what is stored of an invocation: a frame of kind "${frame.kind}"`);
  return { head: frame.head, body: frame.body };
}
