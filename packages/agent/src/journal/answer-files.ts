import { chunkBytes } from "@longshore/protocol";
import { type FileHandle, mkdir, open, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { AttemptKey } from "./outbox.ts";
import { syncFolder } from "./synced-files.ts";

/** An answer that is too long to stand with its result, as it is written. */
export interface AnswerFile {
  /** Adds bytes, in the order of the calls. Rejects when the disk did not take them. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves once all of it is on disk, to stay there until its result is settled. */
  keep(): Promise<void>;
}

/** Long answers of accepted invocations, each in a file beside the results that name them. */
export interface LongAnswers {
  /** What they take on disk. */
  readonly totalBytes: number;
  create(key: AttemptKey): AnswerFile;
  /** One in parts. Rejects when it is not there, or the disk does not give it. */
  read(key: AttemptKey): AsyncIterable<Uint8Array>;
  /** Takes it off the disk, where there is one. Never rejects. */
  remove(key: AttemptKey): Promise<void>;
}

/** They outlive processes, as long as a result waits that names them. */
export class AnswerFolder implements LongAnswers {
  readonly #folder: string;
  readonly #bytes = new Map<string, number>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Opens it with those of results that still wait, and removes all others: their result was never written. */
  static async open(folder: string, waiting: readonly AttemptKey[]): Promise<AnswerFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const answers = new AnswerFolder(folder);
    const names = new Set(waiting.map(nameOf));
    for (const name of await readdir(folder)) {
      if (names.has(name)) answers.#bytes.set(name, (await stat(join(folder, name))).size);
      else await rm(join(folder, name), { force: true });
    }
    return answers;
  }

  get totalBytes(): number {
    let bytes = 0;
    for (const each of this.#bytes.values()) bytes += each;
    return bytes;
  }

  create(key: AttemptKey): AnswerFile {
    const name = nameOf(key);
    const file = open(join(this.#folder, name), "w", 0o600);
    let written: Promise<unknown> = file;
    this.#bytes.set(name, 0);
    return {
      write: (bytes) => {
        if (this.#bytes.has(name)) this.#bytes.set(name, (this.#bytes.get(name) ?? 0) + bytes.length);
        const writing = written.then(async () => (await file).writeFile(bytes)); // Each goes on where the last one ended.
        written = writing;
        return writing;
      },
      keep: async () => {
        try {
          await written;
          await (await file).datasync();
        } finally {
          await file.then((opened) => opened.close(), () => undefined);
        }
        await syncFolder(this.#folder);
      },
    };
  }

  async *read(key: AttemptKey): AsyncGenerator<Uint8Array, void> {
    const file: FileHandle = await open(join(this.#folder, nameOf(key)), "r");
    try {
      for (let position = 0; ; ) {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
        if (bytesRead === 0) return;
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  }

  async remove(key: AttemptKey): Promise<void> {
    if (!this.#bytes.delete(nameOf(key))) return;
    await rm(join(this.#folder, nameOf(key)), { force: true }).catch(() => undefined); // The next process removes it.
  }
}

const nameOf = ({ invocationId, attempt }: AttemptKey) => `${invocationId}.${attempt}`;
