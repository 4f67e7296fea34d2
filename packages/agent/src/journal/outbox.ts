import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeFrame, encodeFrame, LongshoreError } from "@longshore/protocol";
import type { Logger } from "../log.ts";
import { SharedSync } from "./shared-sync.ts";
import { syncFolder, writeSynced } from "./synced-files.ts";

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

/** What a file takes besides its bytes. */
const fileCostBytes = 4096;
const unfinished = ".new";

/**
 * Results of accepted invocations, on disk until a broker has stored them: a file each.
 *
 * Invariants: O1 a result is on disk, whole, when `keep` resolves. O2 it is there until it is settled, over any number of processes;
 * the quota keeps new ones from being begun, and drops none. O3 a file is a whole result or is not looked at: it gets its name once it is
 * synced.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #bytes = new Map<string, number>();
  readonly #names: SharedSync;
  #totalBytes = 0;

  private constructor(options: OutboxOptions) {
    this.#options = options;
    this.#names = new SharedSync(() => syncFolder(options.folder));
  }

  /** Opens it with what earlier processes left. */
  static async open(options: OutboxOptions): Promise<Outbox> {
    const { folder } = options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const outbox = new Outbox(options);
    for (const name of await readdir(folder)) {
      if (name.endsWith(unfinished)) await rm(join(folder, name), { force: true }); // O3
      else if (readName(name) !== undefined) outbox.#count(name, (await stat(join(folder, name))).size);
    }
    return outbox;
  }

  /** False: nothing is to be begun whose result would have to be kept. */
  get hasRoom(): boolean {
    return this.#totalBytes < this.#options.quotaBytes;
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** What waits to be settled. */
  get waiting(): readonly AttemptKey[] {
    return [...this.#bytes.keys()].map(readName).filter((key) => key !== undefined);
  }

  /** Rejects when the disk did not take it: then nobody may be told that it is kept. */
  async keep(result: KeptResult): Promise<void> {
    const { folder } = this.#options;
    const name = nameOf(result);
    const bytes = encodeFrame({ kind: "answer", head: result.head, body: result.body });
    const path = join(folder, name);
    try {
      await writeSynced(`${path}${unfinished}`, bytes);
      await rename(`${path}${unfinished}`, path);
      await this.#names.request(); // O1
    } catch (cause) {
      await rm(`${path}${unfinished}`, { force: true }).catch(() => undefined);
      throw new LongshoreError("unexpected", `Cannot keep the result of invocation ${result.invocationId}: it could not be written`, { phase: "execution", cause });
    }
    this.#count(name, bytes.length);
  }

  /** Undefined when there is none, or it cannot be read, which is logged. */
  async read(key: AttemptKey): Promise<KeptResult | undefined> {
    const name = nameOf(key);
    if (!this.#bytes.has(name)) return undefined;
    try {
      const frame = decodeFrame(await readFile(join(this.#options.folder, name)));
      if (frame.kind === "answer") return { invocationId: key.invocationId, attempt: key.attempt, head: frame.head, body: frame.body };
      throw new Error(`A frame of kind "${frame.kind}" is no result`);
    } catch (err) {
      this.#options.log.error({ err, invocationId: key.invocationId, attempt: key.attempt }, "kept result cannot be read");
      return undefined;
    }
  }

  /** A broker has stored it. Nothing depends on its file being gone at once: told again, a broker says the same. */
  async settle(key: AttemptKey): Promise<void> {
    const name = nameOf(key);
    const bytes = this.#bytes.get(name);
    if (bytes === undefined) return;
    this.#bytes.delete(name);
    this.#totalBytes -= bytes;
    await rm(join(this.#options.folder, name), { force: true });
  }

  #count(name: string, byteLength: number): void {
    this.#totalBytes -= this.#bytes.get(name) ?? 0;
    this.#bytes.set(name, byteLength + fileCostBytes);
    this.#totalBytes += byteLength + fileCostBytes;
  }
}

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId}.${attempt}`;

function readName(name: string): AttemptKey | undefined {
  const [, invocationId, attempt] = /^([0-9a-f-]{36})\.(\d{1,9})$/.exec(name) ?? [];
  return invocationId === undefined ? undefined : { invocationId, attempt: Number(attempt) };
}
