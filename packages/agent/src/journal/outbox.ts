import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { LongshoreError } from "@longshore/protocol";
import type { Logger } from "../log.ts";
import { payloadOf, type Place, ResultSegment } from "./result-segment.ts";
import { SharedSync } from "./shared-sync.ts";
import { syncFolder } from "./synced-files.ts";

/** Which attempt of which invocation. */
export interface AttemptKey {
  readonly invocationId: string;
  readonly attempt: number;
}

/** What became of an attempt, as a broker is told of it. */
export interface KeptResult extends AttemptKey {
  /** A JSON document. */
  readonly head: unknown;
  readonly body: Uint8Array;
}

export interface OutboxOptions {
  readonly folder: string;
  /** Beyond that many bytes nothing new is begun whose result would have to be kept. */
  readonly quotaBytes: number;
  readonly log: Logger;
}

interface ToWrite {
  readonly name: string;
  readonly payload: Uint8Array;
}

/** Failures that are the process's, and not the file's. */
const passing: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "EAGAIN", "EINTR"]);
/** A segment takes nothing more from that length on. */
const segmentBytes = 2 ** 21;

/**
 * Results of accepted invocations, on disk until a broker has stored them: in segments, each a file that only grows, so that many results
 * share a write and a sync.
 *
 * Invariants: O1 a result is on disk, whole, when `keep` resolves. O2 it is there until it is settled, over any number of processes; the quota keeps
 * new ones from being begun, and drops none. O3 a result that was not written whole is not looked at, nor what follows it in its segment. O4 a
 * settled result may be told of once more by a later process, until its segment is gone: brokers know better. O5 where nothing waits,
 * nothing is on the disk.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #places = new Map<string, Place>();
  readonly #segments = new Set<ResultSegment>();
  readonly #sync: SharedSync;
  #toWrite: ToWrite[] = [];
  #current: ResultSegment | undefined;
  #nextNumber = 1;
  #isWriting = false;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    this.#sync = new SharedSync(() => this.#write());
  }

  /** Opens it with what earlier processes left. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const { folder } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const outbox = new Outbox(options);
    const numbers = (await readdir(folder)).map(readNumber).filter((number) => number !== undefined);
    for (const number of numbers.toSorted((a, b) => a - b)) await outbox.#take(number);
    return outbox;
  }

  /** False: nothing is to be begun whose result would have to be kept. */
  get hasRoom(): boolean {
    return this.roomBytes > 0;
  }

  /** What is left of its quota; below 0 where more waits than it allows. */
  get roomBytes(): number {
    return this.#options.quotaBytes - this.totalBytes;
  }

  /** What waits takes on disk. */
  get totalBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment === this.#current ? segment.waitingBytes : segment.byteLength;
    return bytes;
  }

  /** What waits to be settled. */
  get waiting(): readonly AttemptKey[] {
    return [...this.#places.keys()].map(keyOf);
  }

  /** Rejects when the disk did not take it: then nobody may be told that it is kept. */
  async keep(result: KeptResult): Promise<void> {
    const toWrite = { name: nameOf(result), payload: payloadOf(result) };
    this.#toWrite.push(toWrite);
    try {
      await this.#sync.request(); // O1
    } catch (cause) {
      throw new LongshoreError("unexpected", `Cannot keep the result of invocation ${result.invocationId}: it could not be written`, { phase: "execution", cause });
    }
  }

  /** Undefined when there is none, or it is damaged, which is logged. Rejects when the process has no means to read it just now. */
  async read(key: AttemptKey): Promise<KeptResult | undefined> {
    const place = this.#places.get(nameOf(key));
    if (place === undefined) return undefined;
    try {
      return await place.segment.readAt(place);
    } catch (err) {
      if (!this.#places.has(nameOf(key))) return undefined; // Settled meanwhile.
      this.#options.log.error({ err, invocationId: key.invocationId, attempt: key.attempt }, "kept result cannot be read");
      if (passing.has((err as NodeJS.ErrnoException).code ?? "")) throw err;
      return undefined;
    }
  }

  /** A broker has stored it. */
  async settle(key: AttemptKey): Promise<void> {
    const place = this.#places.get(nameOf(key));
    if (place === undefined) return;
    this.#release(nameOf(key), place);
    const { segment } = place;
    if (segment.waiting > 0 || (segment === this.#current && this.#isWriting)) return;
    await this.#leave(segment); // O5
  }

  /** Takes nothing more. */
  async close(): Promise<void> {
    this.#current = undefined;
    for (const segment of [...this.#segments]) await (segment.waiting === 0 ? this.#remove(segment) : segment.close());
  }

  async #take(number: number): Promise<void> {
    const { segment, found } = await ResultSegment.read(number, this.#path(number));
    this.#nextNumber = number + 1;
    this.#segments.add(segment);
    for (const { key, place } of found) this.#hold(nameOf(key), place);
    if (segment.waiting === 0) await this.#remove(segment);
  }

  async #write(): Promise<void> {
    const group = this.#toWrite;
    this.#toWrite = [];
    this.#isWriting = true;
    try {
      const segment = (this.#current ??= await this.#begin());
      const places = await segment.append(group.map(({ payload }) => payload));
      for (const [index, { name }] of group.entries()) this.#hold(name, places[index] as Place);
      if (segment.byteLength >= segmentBytes) await this.#leave(segment);
    } catch (error) {
      if (this.#current !== undefined) await this.#leave(this.#current); // O3: its end may be anything.
      throw error;
    } finally {
      this.#isWriting = false;
    }
  }

  async #begin(): Promise<ResultSegment> {
    const segment = await ResultSegment.create(this.#nextNumber, this.#path(this.#nextNumber));
    this.#nextNumber += 1;
    await syncFolder(this.#options.folder);
    this.#segments.add(segment);
    return segment;
  }

  async #leave(segment: ResultSegment): Promise<void> {
    if (segment === this.#current) this.#current = undefined;
    if (segment.waiting === 0) await this.#remove(segment);
  }

  async #remove(segment: ResultSegment): Promise<void> {
    this.#segments.delete(segment);
    await segment.remove().catch((err: unknown) => this.#options.log.warn({ err }, "settled results not taken off the disk"));
  }

  #hold(name: string, place: Place): void {
    const before = this.#places.get(name);
    if (before !== undefined) this.#release(name, before);
    this.#places.set(name, place);
    place.segment.waiting += 1;
    place.segment.waitingBytes += place.byteLength;
  }

  #release(name: string, { segment, byteLength }: Place): void {
    this.#places.delete(name);
    segment.waiting -= 1;
    segment.waitingBytes -= byteLength;
  }

  #path(number: number): string {
    return join(this.#options.folder, `results.${number}`);
  }
}

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId} ${attempt}`;

function keyOf(name: string): AttemptKey {
  const [invocationId = "", attempt] = name.split(" ");
  return { invocationId, attempt: Number(attempt) };
}

function readNumber(name: string): number | undefined {
  const [, number] = /^results\.(\d{1,15})$/.exec(name) ?? [];
  return number === undefined ? undefined : Number(number);
}
