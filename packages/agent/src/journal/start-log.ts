import { mkdir, open, type FileHandle, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptKey } from "./outbox.ts";
import { SharedSync } from "./shared-sync.ts";
import { syncFolder, writeSynced } from "./synced-files.ts";

/** An attempt that was begun, with what is to be said of it should nobody come to say more. */
export interface BegunAttempt extends AttemptKey {
  /** A JSON document. */
  readonly head: unknown;
}

/** Ends wait that long for a beginning to be written with. */
const endsWaitMs = 50;
/** Rewritten to what is still open when it has grown by that much. */
const compactAfterBytes = 4 * 2 ** 20;

/**
 * Which attempts at accepted invocations were begun, on disk before any line of the image's code runs. One file, a line for each
 * beginning and each end; many beginnings share a sync.
 *
 * Invariants: S1 an attempt is on disk when `begin` resolves. S2 it is named as interrupted by every later process until it is ended:
 * an end that was not written costs one more word to a broker, which knows better. S3 a line that is cut short is no line, and takes
 * none of those after it along.
 */
export class StartLog {
  /** Begun by earlier processes, and not ended. */
  readonly interrupted: readonly BegunAttempt[];
  readonly #folder: string;
  readonly #sync = new SharedSync(() => this.#write());
  readonly #open = new Map<string, string>();
  #file: FileHandle;
  #lines: string[] = [];
  #writtenBytes = 0;
  #endsTimer: NodeJS.Timeout | undefined;

  private constructor(folder: string, file: FileHandle, interrupted: readonly BegunAttempt[]) {
    this.#folder = folder;
    this.#file = file;
    this.interrupted = interrupted;
    for (const begun of interrupted) this.#open.set(nameOf(begun), beginLine(begun));
  }

  /** Opens it with what earlier processes left. */
  static async open(folder: string): Promise<StartLog> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const path = pathIn(folder);
    const file = await open(path, "a", 0o600);
    return new StartLog(folder, file, readOpen(await readFile(path, "utf8")));
  }

  /** Rejects when the disk did not take it: then nothing may be begun. */
  async begin(begun: BegunAttempt): Promise<void> {
    const line = beginLine(begun);
    this.#open.set(nameOf(begun), line);
    this.#lines.push(line);
    try {
      await this.#sync.request();
    } catch (error) {
      this.end(begun);
      throw error;
    }
  }

  /** What became of it is known, and kept elsewhere. */
  end(key: AttemptKey): void {
    if (!this.#open.delete(nameOf(key))) return;
    this.#lines.push(`E ${key.invocationId} ${key.attempt}\n`);
    this.#endsTimer ??= setTimeout(() => {
      this.#sync.request().catch(() => undefined); // It goes with the next beginning, which says why where it cannot.
    }, endsWaitMs);
  }

  /** Writes what waits; nothing may be begun any more. */
  async close(): Promise<void> {
    clearTimeout(this.#endsTimer);
    if (this.#lines.length > 0) await this.#sync.request().catch(() => undefined);
    await this.#file.close();
  }

  async #write(): Promise<void> {
    clearTimeout(this.#endsTimer);
    this.#endsTimer = undefined;
    const lines = this.#lines;
    this.#lines = [];
    try {
      const { bytesWritten } = await this.#file.write(`\n${lines.join("")}`); // S3
      await this.#file.datasync();
      this.#writtenBytes += bytesWritten;
    } catch (error) {
      this.#lines.unshift(...lines.filter((line) => line.startsWith("E "))); // Beginnings are refused; ends stay true.
      throw error;
    }
    if (this.#writtenBytes > compactAfterBytes) await this.#compact();
  }

  async #compact(): Promise<void> {
    const path = pathIn(this.#folder);
    await writeSynced(`${path}.new`, Buffer.from([...this.#open.values()].join("")));
    const file = await open(`${path}.new`, "a", 0o600);
    await rename(`${path}.new`, path);
    await syncFolder(this.#folder);
    await this.#file.close();
    this.#file = file;
    this.#writtenBytes = 0;
  }
}

const pathIn = (folder: string) => join(folder, "begun");
const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId} ${attempt}`;
const beginLine = ({ invocationId, attempt, head }: BegunAttempt) => `B ${invocationId} ${attempt} ${JSON.stringify(head)}\n`;

function readOpen(text: string): BegunAttempt[] {
  const open = new Map<string, BegunAttempt>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [, kind, invocationId, attempt, head] = /^([BE]) (\S+) (\d+)(?: (\{.*\}))?$/.exec(line) ?? [];
    if (invocationId === undefined) continue; // S3
    const key = { invocationId, attempt: Number(attempt) };
    if (kind === "E") open.delete(nameOf(key));
    else if (head !== undefined) open.set(nameOf(key), { ...key, head: parse(head) });
  }
  return [...open.values()].filter(({ head }) => head !== undefined);
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
