import { type LongshoreError, decodeFrame, encodeFrame } from "@longshore/protocol";
import type { Bucket, Entry, RecordStore, Store } from "../bus.ts";
import type { KeptRecord, RecordsWanted } from "../kept-record.ts";
import { KeptRecords } from "./kept-records.ts";
import { MemoryBodies } from "./memory-bodies.ts";
import { MemoryHistory } from "./memory-history.ts";
import { MemoryQueue } from "./memory-queue.ts";

/**
 * The store without a server, for unit tests: any number of "brokers" may share one. It keeps the contract of the real one
 * (store-contract.ts), and can be made to fail.
 */
export class MemoryStore implements Store {
  readonly records: RecordStore = new MemoryRecords();
  readonly queue = new MemoryQueue();
  readonly bodies = new MemoryBodies();
  readonly history = new MemoryHistory();
  /** Thrown by every operation while it is set. */
  failing: LongshoreError | undefined;
  readonly #buckets = new Map<string, MemoryBucket>();

  bucket(name: string): Promise<Bucket> {
    const bucket = this.#buckets.get(name) ?? new MemoryBucket(this);
    this.#buckets.set(name, bucket);
    return Promise.resolve(bucket);
  }
}

class MemoryBucket implements Bucket {
  readonly #store: MemoryStore;
  readonly #entries = new Map<string, Entry>();
  readonly #watchers = new Set<(entry: Entry) => void>();
  #revision = 0;

  constructor(store: MemoryStore) {
    this.#store = store;
  }

  async get(key: string): Promise<Entry | undefined> {
    await this.#begin();
    const entry = this.#entries.get(key);
    return entry?.deleted === true ? undefined : entry;
  }

  async create(key: string, value: Uint8Array): Promise<number | undefined> {
    await this.#begin();
    return (this.#entries.get(key)?.deleted ?? true) ? this.#write(key, value, false) : undefined;
  }

  async update(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    await this.#begin();
    return this.#entries.get(key)?.revision === revision ? this.#write(key, value, false) : undefined;
  }

  async put(key: string, value: Uint8Array): Promise<number> {
    await this.#begin();
    return this.#write(key, value, false);
  }

  async delete(key: string): Promise<void> {
    await this.#begin();
    this.#write(key, new Uint8Array(0), true);
  }

  async watch(handler: (entry: Entry) => void): Promise<{ close(): void }> {
    await this.#begin();
    for (const entry of [...this.#entries.values()].sort((a, b) => a.revision - b.revision)) if (!entry.deleted) handler(entry);
    this.#watchers.add(handler);
    return { close: () => this.#watchers.delete(handler) };
  }

  /** As far away as a server: whatever else runs may come in between. */
  async #begin(): Promise<void> {
    await Promise.resolve();
    if (this.#store.failing !== undefined) throw this.#store.failing;
  }

  #write(key: string, value: Uint8Array, deleted: boolean): number {
    this.#revision += 1;
    const entry: Entry = { key, value: value.slice(), revision: this.#revision, deleted };
    this.#entries.set(key, entry);
    for (const watcher of this.#watchers) queueMicrotask(() => this.#watchers.has(watcher) && watcher(entry));
    return entry.revision;
  }
}

/** The records of sync invocations without a server. */
export class MemoryRecords implements RecordStore {
  readonly #records = new Map<string, Uint8Array>();
  readonly #kept: KeptRecords;

  constructor(now: () => Date = () => new Date()) {
    this.#kept = new KeptRecords(now);
  }

  async *newestFirst(wanted: RecordsWanted): AsyncGenerator<readonly KeptRecord[], void> {
    await Promise.resolve();
    yield* this.#kept.newestFirst({ ...wanted, functionName: "*" });
  }

  append(tenantId: string, invocationId: string, head: unknown, body: Uint8Array): void {
    const key = `${tenantId}.${invocationId}`;
    if (this.#records.has(key)) return;
    this.#records.set(key, encodeFrame({ kind: "answer", head, body }));
    this.#kept.add({ tenantId, invocationId }, structuredClone(head), body.length);
  }

  read(tenantId: string, invocationId: string): Promise<{ head: unknown; body: Uint8Array } | undefined> {
    const stored = this.#records.get(`${tenantId}.${invocationId}`);
    const frame = stored === undefined ? undefined : decodeFrame(stored);
    return Promise.resolve(frame?.kind === "answer" ? { head: frame.head, body: frame.body } : undefined);
  }

  flush(): Promise<void> {
    return Promise.resolve();
  }
}
