import { DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { decodeFrame, encodeFrame } from "@longshore/protocol";
import type { RecordStore } from "./bus.ts";
import { attempt, notConnected } from "./bus-error.ts";
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
const maxUnderWay = 256;

interface RecordsOptions {
  readonly replicas: number;
  readonly count: (event: string) => void;
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
  readonly payload: Uint8Array;
}

/**
 * Terminal records of sync invocations in a memory stream, one subject per invocation.
 *
 * Invariants: R1 the first record of an id stays (the stream refuses a second message on a subject). R2 `append` never waits; what
 * is queued is bounded, and what does not fit is dropped and counted. R3 a record is given up only when refused, or when its
 * connection broke under it.
 */
export function createRecords(options: RecordsOptions): Records {
  return new RecordStream(options);
}

class RecordStream implements Records {
  readonly #options: RecordsOptions;
  readonly #queue: Queued[] = [];
  #queuedBytes = 0;
  #underWay = 0;
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
    const payload = encodeFrame({ kind: "answer", head, body });
    if (this.#queue.length >= maxQueuedRecords || this.#queuedBytes + payload.length > maxQueuedBytes) {
      this.#options.count("records_dropped"); // R2
      return;
    }
    this.#queue.push({ subject: subjectOf(tenantId, invocationId), payload });
    this.#queuedBytes += payload.length;
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

  flush(): Promise<void> {
    this.#write();
    return this.#isIdle ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  get #isIdle(): boolean {
    return this.#queue.length === 0 && this.#underWay === 0;
  }

  #write(): void {
    const session = this.#options.session();
    while (session !== undefined && this.#underWay < maxUnderWay) {
      const next = this.#queue.shift();
      if (next === undefined) break;
      this.#queuedBytes -= next.payload.length;
      this.#underWay += 1;
      void this.#store(session, next);
    }
    if (this.#isIdle) for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #store(session: Session, { subject, payload }: Queued): Promise<void> {
    try {
      await session.jetStream.publish(subject, payload);
    } catch (error) {
      this.#options.count(error instanceof JetStreamApiError ? "records_refused" : "records_dropped"); // R1, R3
    }
    this.#underWay -= 1;
    this.#write();
  }
}

const subjectOf = (tenantId: string, invocationId: string) => `${subjectPrefix}.${tenantId}.${invocationId}`;
