import { DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { decodeFrame, encodeFrame } from "@longshore/protocol";
import { setTimeout as delay } from "node:timers/promises";
import type { RecordStore } from "./bus.ts";
import { attempt, notConnected } from "./bus-error.ts";
import type { CountEvent } from "./counted-events.ts";
import type { KeptRecord, RecordsWanted } from "./kept-record.ts";
import { readRecordsBack } from "./read-records.ts";
import type { Session } from "./session.ts";

const streamName = "sync-records";
const subjectPrefix = "longshore.v1.record";
/** How long a sync invocation can be asked for by its id. */
export const recordLifeMs = 15 * 60_000;
const maxStreamBytes = 512 * 1024 * 1024;

/** Records wait this long for others, so that the writes stay off the path of the replies. */
const gatherMs = 10;
const maxQueuedRecords = 20_000;
const maxQueuedBytes = 64 * 1024 * 1024;
/** Whoever lists records sees those that ended here just now; under load not every one is waited for. */
const flushWithinMs = 100;
/** What a head is taken for in the bound on bytes: it is not written before its turn. */
const assumedHeadBytes = 1024;
/** Records written on one confirmation. */
const maxGroup = 256;

interface RecordsOptions {
  readonly replicas: number;
  readonly count: CountEvent;
  /** JetStream as it stands; undefined while not connected. */
  readonly session: () => Session | undefined;
}

/** The record store, with what its owner must tell it. */
export interface Records extends RecordStore {
  /** Makes the stream where it is not there (memory: a server's restart takes it along). */
  prepare(session: Session): Promise<void>;
  /** The connection came or went: what waited is tried again. */
  connectionChanged(): void;
}

interface Queued {
  readonly subject: string;
  readonly head: unknown;
  readonly body: Uint8Array;
}

/**
 * Terminal records of sync invocations in a memory stream, one subject per invocation.
 *
 * Invariants: R1 the first record of an id stays (the stream refuses a second message on a subject). R2 `append` never waits; what
 * is queued is bounded, and what does not fit is dropped and counted. R3 a record is given up only when refused, or when its
 * connection broke under it. R4 one group is under way at a time, and confirmed by its last record: the stream takes what one
 * connection publishes in order, so that one answer of the server does for all, and under load the groups grow; of records refused only a group's last is counted.
 */
export function createRecords(options: RecordsOptions): Records {
  return new RecordStream(options);
}

class RecordStream implements Records {
  readonly #options: RecordsOptions;
  readonly #queue: Queued[] = [];
  #queuedBytes = 0;
  #isStoring = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  async prepare(session: Session): Promise<void> {
    try {
      await session.manager.streams.info(streamName);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
      await session.manager.streams.add({
        name: streamName,
        subjects: [`${subjectPrefix}.>`],
        storage: StorageType.Memory,
        retention: RetentionPolicy.Limits,
        max_age: nanos(recordLifeMs),
        max_bytes: maxStreamBytes,
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.New,
        discard_new_per_subject: true,
        allow_direct: true,
        num_replicas: this.#options.replicas,
      });
    }
  }

  connectionChanged(): void {
    if (this.#options.session() !== undefined) this.#write();
  }

  append(tenantId: string, invocationId: string, head: unknown, body: Uint8Array): void {
    const queued = { subject: subjectOf(tenantId, invocationId), head, body };
    if (this.#queue.length >= maxQueuedRecords || this.#queuedBytes + bytesOf(queued) > maxQueuedBytes) {
      this.#options.count("records_dropped"); // R2
      return;
    }
    this.#queue.push(queued);
    this.#queuedBytes += bytesOf(queued);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#write();
    }, gatherMs);
  }

  async read(tenantId: string, invocationId: string): Promise<{ head: unknown; body: Uint8Array } | undefined> {
    const session = this.#options.session();
    if (session === undefined) throw notConnected("read a record");
    const query = { last_by_subj: subjectOf(tenantId, invocationId) };
    const stored = await attempt("read a record", () => session.manager.direct.getMessage(streamName, query));
    const frame = stored === null ? undefined : decodeFrame(stored.data);
    return frame?.kind === "answer" ? { head: frame.head, body: frame.body } : undefined;
  }

  async *newestFirst({ tenantId, before, atOnce }: RecordsWanted): AsyncGenerator<readonly KeptRecord[], void> {
    const session = this.#options.session();
    if (session === undefined) throw notConnected("list terminal records");
    if (before === undefined && !this.#isIdle) await Promise.race([this.flush(), delay(flushWithinMs)]);
    yield* readRecordsBack(session, streamName, `${subjectPrefix}.${tenantId}.*`, { before, atOnce });
  }

  flush(): Promise<void> {
    this.#write();
    return this.#isIdle ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && !this.#isStoring;
  }

  #write(): void {
    const session = this.#options.session();
    if (session !== undefined && !this.#isStoring && this.#queue.length > 0) void this.#store(session);
    if (this.#isIdle) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #store({ connection, jetStream }: Session): Promise<void> {
    this.#isStoring = true;
    const group = this.#queue.splice(0, maxGroup);
    for (const queued of group) this.#queuedBytes -= bytesOf(queued);
    const last = group.pop();
    let underWay = 0;
    for (const queued of group) {
      try {
        connection.publish(queued.subject, payloadOf(queued));
        underWay += 1;
      } catch {
        this.#options.count("records_dropped"); // One that cannot be sent takes no other along.
      }
    }
    try {
      if (last !== undefined) await jetStream.publish(last.subject, payloadOf(last)); // R4
    } catch (error) {
      if (error instanceof JetStreamApiError) this.#options.count("records_refused"); // R1
      else for (let dropped = 0; dropped <= underWay; dropped += 1) this.#options.count("records_dropped"); // R3
    }
    this.#isStoring = false;
    this.#write();
  }
}

const bytesOf = ({ body }: Queued) => assumedHeadBytes + body.length;
const payloadOf = ({ head, body }: Queued) => encodeFrame({ kind: "answer", head, body });
const subjectOf = (tenantId: string, invocationId: string) => `${subjectPrefix}.${tenantId}.${invocationId}`;
