import { JetStreamApiCodes, JetStreamApiError, StorageType } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Logger } from "pino";
import type { Bucket, BucketOptions, Entry, Store } from "./bus.ts";
import { BodyStream } from "./body-stream.ts";
import { attempt, notConnected } from "./bus-error.ts";
import type { CountEvent } from "./counted-events.ts";
import { HistoryStream } from "./history-stream.ts";
import { QueueStream } from "./queue-stream.ts";
import { createRecords, type Records } from "./records.ts";
import { orderedPushConsumer } from "./ordered-push-consumer.ts";
import { openSession, type Session } from "./session.ts";
import { createWatch, type Watch } from "./watch.ts";

interface StoreOptions {
  readonly replicas: number;
  readonly log: Logger;
  readonly count: CountEvent;
}

/** Buckets, records, the queue and its bodies over JetStream; whatever connection stands when an operation begins carries it. */
export class JetStreamStore implements Store {
  readonly records: Records;
  readonly queue: QueueStream;
  readonly bodies: BodyStream;
  readonly history: HistoryStream;
  readonly #options: StoreOptions;
  readonly #watches = new Set<Watch>();
  #prepared: Session | undefined;
  #session: Session | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.records = createRecords({ replicas: options.replicas, count: options.count, session: () => this.#session });
    this.queue = new QueueStream({ replicas: options.replicas, log: options.log });
    this.bodies = new BodyStream(options.replicas);
    this.history = new HistoryStream(options);
  }

  /** Makes a fresh connection ready: JetStream answers on it and the streams are there. */
  async prepare(connection: NatsConnection): Promise<void> {
    const session = await openSession(connection);
    await this.records.prepare(session);
    await this.queue.prepare(session);
    await this.bodies.prepare(session);
    await this.history.prepare(session);
    this.#prepared = session;
  }

  connectionChanged(connection: NatsConnection | undefined): void {
    this.#session = connection === undefined ? undefined : this.#prepared;
    this.records.connectionChanged();
    this.queue.connectionChanged(this.#session);
    this.bodies.connectionChanged(this.#session);
    this.history.connectionChanged(this.#session);
    for (const watch of this.#watches) watch.connectionChanged(this.#session);
  }

  /** Waits for records to be stored, at most that long. */
  async drain(withinMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.records.flush(), new Promise((resolve) => (timer = setTimeout(resolve, withinMs)))]);
    clearTimeout(timer);
  }

  async bucket(name: string, options: BucketOptions): Promise<Bucket> {
    const open = () => this.#open(name, options);
    await attempt(`open bucket "${name}"`, open);
    return {
      get: (key) => attempt(`read "${key}" in "${name}"`, async () => toEntry(await (await open()).get(key))),
      create: (key, value) => attempt(`create "${key}" in "${name}"`, () => unlessMoved(async () => (await open()).create(key, value))),
      update: (key, value, revision) => attempt(`update "${key}" in "${name}"`, () => unlessMoved(async () => (await open()).update(key, value, revision))),
      put: (key, value) => attempt(`write "${key}" in "${name}"`, async () => (await open()).put(key, value)),
      delete: (key) => attempt(`delete "${key}" in "${name}"`, async () => (await open()).delete(key)),
      watch: (handler) => this.#watch(name, options, handler),
    };
  }

  /** The bucket on the present connection; made anew where it is gone (a memory bucket after a server's restart). */
  #open(name: string, options: BucketOptions): Promise<KV> {
    const session = this.#session;
    if (session === undefined) return Promise.reject(notConnected(`open bucket "${name}"`));
    const known = session.buckets.get(name);
    if (known !== undefined) return known;
    const opening = new Kvm(session.jetStream).create(name, {
      history: options.history,
      ttl: options.ttlMs,
      storage: options.storage === "file" ? StorageType.File : StorageType.Memory,
      replicas: this.#options.replicas,
    });
    session.buckets.set(name, opening);
    opening.catch(() => session.buckets.delete(name));
    return opening;
  }

  async #watch(name: string, options: BucketOptions, handler: (entry: Entry) => void): Promise<{ close(): void }> {
    const watch = createWatch({
      bucket: name,
      log: this.#options.log,
      handler,
      subscribe: async (session, config, callback) => {
        await this.#open(name, options);
        const consumer = await orderedPushConsumer(session, `KV_${name}`, config);
        const { num_pending: pending } = await consumer.info(true);
        const messages = await consumer.consume({ callback });
        return { pending, close: () => messages.stop() };
      },
    });
    this.#watches.add(watch);
    watch.connectionChanged(this.#session);
    await watch.ready;
    return {
      close: () => {
        this.#watches.delete(watch);
        watch.close();
      },
    };
  }
}

/** The value of a write under a condition; undefined when the condition did not hold. */
async function unlessMoved(write: () => Promise<number>): Promise<number | undefined> {
  try {
    return await write();
  } catch (error) {
    const moved: readonly number[] = [JetStreamApiCodes.StreamWrongLastSequence, JetStreamApiCodes.StreamWrongLastSequenceUnknown];
    if (error instanceof JetStreamApiError && moved.includes(error.code)) return undefined;
    throw error;
  }
}

function toEntry(found: Awaited<ReturnType<KV["get"]>>): Entry | undefined {
  if (found === null || found.operation !== "PUT") return undefined;
  return { key: found.key, value: found.value, revision: found.revision, deleted: false };
}
