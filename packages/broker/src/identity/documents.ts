import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "pino";
import type { z } from "zod";
import type { Bucket, Entry, Store } from "../bus/bus.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** How often a change is tried again after another broker's came first. */
const maxAttempts = 20;

/** A document as the bucket has it. */
export interface Versioned<T> {
  readonly value: T;
  readonly revision: number;
}

interface DocumentsOptions<T> {
  readonly store: Store;
  /** The bucket's. */
  readonly name: string;
  readonly schema: z.ZodType<T>;
  /** Documents go after that many milliseconds; absent: they stay. */
  readonly lifeMs?: number;
  readonly log: Logger;
}

/**
 * JSON documents of one kind in a bucket, mirrored in memory. The mirror answers at once and may lag by a moment; decisions go by
 * compare-and-set.
 */
export class Documents<T> {
  readonly #options: DocumentsOptions<T>;
  readonly #mirror = new Map<string, Versioned<T>>();
  readonly #handlers: ((key: string, value: T | undefined) => void)[] = [];
  #opened: { readonly bucket: Bucket; readonly watch: { close(): void } } | undefined;

  constructor(options: DocumentsOptions<T>) {
    this.#options = options;
  }

  /** Opens the bucket; resolves once the mirror is whole. */
  async start(): Promise<void> {
    const { store, name, lifeMs } = this.#options;
    const bucket = await store.bucket(name, { history: 1, ttlMs: lifeMs ?? 0, storage: "file" });
    const watch = await bucket.watch((entry) => this.#take(entry));
    this.#opened = { bucket, watch };
  }

  close(): void {
    this.#opened?.watch.close();
  }

  /** From the mirror. */
  peek(key: string): T | undefined {
    return this.#mirror.get(key)?.value;
  }

  /** From the mirror. */
  *values(): Generator<T> {
    for (const { value } of this.#mirror.values()) yield value;
  }

  /** Told of every change, this process's own as well; `undefined`: gone. */
  onChange(handler: (key: string, value: T | undefined) => void): void {
    this.#handlers.push(handler);
  }

  /** From the bucket. */
  async read(key: string): Promise<Versioned<T> | undefined> {
    const entry = await this.#bucket.get(key);
    if (entry === undefined) return undefined;
    const value = this.#parse(entry);
    if (value === undefined) throw new LongshoreError("unexpected", `Cannot read "${key}" from the bus: it is damaged, or was written by another version`);
    return { value, revision: entry.revision };
  }

  /** Writes the document unless there is one; tells whether it did. */
  async create(key: string, value: T): Promise<boolean> {
    const revision = await this.#bucket.create(key, encode(value));
    if (revision !== undefined) this.#set(key, { value, revision });
    return revision !== undefined;
  }

  /** Writes the document if it stands at that revision; tells whether it did. */
  async replace(key: string, value: T, revision: number): Promise<boolean> {
    const next = await this.#bucket.update(key, encode(value), revision);
    if (next !== undefined) this.#set(key, { value, revision: next });
    return next !== undefined;
  }

  /**
   * Changes a document by a pure function of what stands (undefined: nothing yet), again whenever another broker was faster.
   * Returns what stands in the end; where `change` returns undefined nothing is written.
   */
  async change(key: string, change: (value: T | undefined) => T | undefined): Promise<T | undefined> {
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const found = await this.read(key);
      const next = change(found?.value);
      if (next === undefined) return found?.value;
      const written = found === undefined ? await this.create(key, next) : await this.replace(key, next, found.revision);
      if (written) return next;
    }
    throw new LongshoreError("bus_down", `Cannot change "${key}": other brokers kept changing it`, { retryAfterMs: 1_000 });
  }

  /** Removes the document, whatever stands. */
  async remove(key: string): Promise<void> {
    await this.#bucket.delete(key);
    this.#drop(key);
  }

  get #bucket(): Bucket {
    if (this.#opened === undefined) throw new Error(`the documents of "${this.#options.name}" are not open yet`);
    return this.#opened.bucket;
  }

  #take(entry: Entry): void {
    if (!entry.deleted) {
      const value = this.#parse(entry);
      if (value !== undefined) this.#set(entry.key, { value, revision: entry.revision });
    } else {
      this.#drop(entry.key);
    }
  }

  #drop(key: string): void {
    if (!this.#mirror.delete(key)) return;
    for (const handler of this.#handlers) handler(key, undefined);
  }

  #set(key: string, next: Versioned<T>): void {
    const known = this.#mirror.get(key);
    if (known !== undefined && known.revision >= next.revision) return;
    this.#mirror.set(key, next);
    for (const handler of this.#handlers) handler(key, next.value);
  }

  /** Undefined, and logged, for what does not fit the schema. */
  #parse(entry: Entry): T | undefined {
    try {
      return this.#options.schema.parse(JSON.parse(decoder.decode(entry.value)));
    } catch (err) {
      this.#options.log.error({ err, bucket: this.#options.name, key: entry.key }, "stored document cannot be read");
      return undefined;
    }
  }
}

function encode(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}
