import { DiscardPolicy, JetStreamApiCodes, JetStreamApiError, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import { chunkBytes, LongshoreError, windowBytes } from "@longshore/protocol";
import { randomBytes } from "node:crypto";
import { BatchWriter } from "./batch-writer.ts";
import { BodyCount, checkedBody } from "./body-check.ts";
import type { BodyOwner, BodyStore, BodyWriting, ListedBody, StoredBody } from "./body-store.ts";
import { bodyStreamName, bodySubject, bodySubjects, parseBodySubject } from "./body-subjects.ts";
import { attempt, notConnected } from "./bus-error.ts";
import { readMessages } from "./read-stream.ts";
import type { Session } from "./session.ts";
import { hasMessageFrom } from "./stream-api.ts";
import { WriteRefused } from "./write-refused.ts";

/** Parts of one body that are on their way at once: enough that they share a batch. */
const partsUnderWay = 8;

/** Bodies over one stream: a subject each, a message for each part of {@link chunkBytes}. */
export class BodyStream implements BodyStore {
  readonly #replicas: number;
  #session: Session | undefined;
  #writer: BatchWriter | undefined;

  constructor(replicas: number) {
    this.#replicas = replicas;
  }

  /** Makes the stream where it is not there. */
  async prepare({ manager }: Session): Promise<void> {
    try {
      await manager.streams.info(bodyStreamName);
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== JetStreamApiCodes.StreamNotFound) throw error;
      await manager.streams.add({
        name: bodyStreamName,
        subjects: [bodySubjects],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        discard: DiscardPolicy.New,
        allow_direct: true,
        allow_atomic: true,
        allow_msg_ttl: true,
        num_replicas: this.#replicas,
      });
    }
  }

  connectionChanged(session: Session | undefined): void {
    this.#session = session;
    this.#writer = session === undefined ? undefined : new BatchWriter(session.connection);
  }

  write(owner: BodyOwner, lifeMs: number): BodyWriting {
    const writing = randomBytes(9).toString("base64url");
    const subject = bodySubject(owner, writing);
    const headers = [["Nats-TTL", `${Math.ceil(lifeMs / 1000)}s`]] as const;
    let part = 0;
    const store = (payload: Uint8Array) => {
      part += 1;
      return this.#store({ subject, headers, payload, unit: `${subject} ${part}` });
    };
    return new Writing(writing, store, () => this.remove(owner, writing));
  }

  read(owner: BodyOwner, body: StoredBody): AsyncIterable<Uint8Array> {
    return checkedBody(this.#parts(bodySubject(owner, body.writing), body.byteLength), owner, body);
  }

  async remove(owner: BodyOwner, writing: string): Promise<void> {
    const { manager } = this.#connected("remove a body");
    await attempt("remove a body", () => manager.streams.purge(bodyStreamName, { filter: bodySubject(owner, writing) }));
  }

  async list(): Promise<readonly ListedBody[]> {
    const { manager } = this.#connected("list the bodies");
    return attempt("list the bodies", async () => {
      const { state } = await manager.streams.info(bodyStreamName, { subjects_filter: bodySubjects });
      const listed: ListedBody[] = [];
      for (const subject of Object.keys(state.subjects ?? {})) {
        const name = parseBodySubject(subject);
        const last = name === undefined ? null : await manager.direct.getMessage(bodyStreamName, { last_by_subj: subject });
        if (name !== undefined && last !== null) listed.push({ ...name, writtenAtMs: last.time.getTime() });
      }
      return listed;
    });
  }

  async *#parts(subject: string, byteLength: number): AsyncGenerator<Uint8Array, void> {
    let [last, left] = [0, byteLength];
    while (left > 0) {
      const { connection } = this.#connected("read a body");
      const messages = await attempt("read a body", () => readMessages(connection, bodyStreamName, last + 1, { subject, maxBytes: windowBytes }));
      for (const { payload } of messages) yield payload;
      left -= messages.reduce((sum, { payload }) => sum + payload.length, 0);
      last = messages.at(-1)?.sequence ?? last;
      if (messages.length > 0) continue;
      if (!(await hasMessageFrom(connection, bodyStreamName, last + 1, subject))) return; // A part is missing, not only late at a replica.
    }
  }

  #store(write: Parameters<BatchWriter["write"]>[0]): Promise<number> {
    const writer = this.#writer;
    if (writer === undefined) return Promise.reject(notConnected("store a body"));
    return attempt("store a body", async () => {
      try {
        return await writer.write(write);
      } catch (error) {
        if (!(error instanceof WriteRefused) || !error.isFull) throw error;
        throw new LongshoreError("store_full", "Cannot store a body: the bus has no room for it", { phase: "admission", retryAfterMs: 5_000, cause: error });
      }
    });
  }

  #connected(action: string): Session {
    if (this.#session === undefined) throw notConnected(action);
    return this.#session;
  }
}

/** Cuts a body into parts, and holds no more of it than is on its way. */
class Writing implements BodyWriting {
  readonly #name: string;
  readonly #store: (part: Uint8Array) => Promise<unknown>;
  readonly #remove: () => Promise<void>;
  readonly #count = new BodyCount();
  readonly #underWay = new Set<Promise<unknown>>();
  #part: Uint8Array[] = [];
  #partBytes = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(name: string, store: (part: Uint8Array) => Promise<unknown>, remove: () => Promise<void>) {
    this.#name = name;
    this.#store = store;
    this.#remove = remove;
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#count.add(bytes);
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + chunkBytes - this.#partBytes);
      this.#part.push(piece);
      this.#partBytes += piece.length;
      at += piece.length;
      if (this.#partBytes === chunkBytes) this.#send();
      while (this.#underWay.size >= partsUnderWay) await Promise.race(this.#underWay);
    }
    this.#check();
  }

  async end(): Promise<StoredBody> {
    if (this.#partBytes > 0) this.#send();
    await Promise.all(this.#underWay);
    this.#check();
    return { writing: this.#name, byteLength: this.#count.byteLength, sha256: this.#count.sha256() };
  }

  async abandon(): Promise<void> {
    await Promise.all(this.#underWay);
    await this.#remove().catch(() => undefined); // Nobody will name it.
  }

  #send(): void {
    const stored: Promise<unknown> = this.#store(Buffer.concat(this.#part)).catch((error: unknown) => (this.#failure ??= { error })).then(() => this.#underWay.delete(stored));
    this.#underWay.add(stored);
    [this.#part, this.#partBytes] = [[], 0];
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
