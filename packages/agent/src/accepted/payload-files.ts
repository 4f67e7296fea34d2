import { chunkBytes } from "@longshore/protocol";
import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/** A payload on its way to an image: written once, then read as often as it takes. */
export interface PayloadFile {
  /** Adds bytes, in the order of the calls. Rejects when the disk did not take them. */
  write(bytes: Uint8Array): Promise<void>;
  /** All that was written, in parts. Rejects when the disk does not give it. */
  read(): AsyncIterable<Uint8Array>;
  /** Takes it off the disk. Never rejects. Idempotent. */
  remove(): Promise<void>;
}

/** Where payloads wait until all of them is there, and their image takes them. */
export interface Payloads {
  /** What those that are there may come to. */
  readonly totalBytes: number;
  /** A fresh one, of at most that many bytes. */
  create(byteLength: number): PayloadFile;
}

/** Payloads in a folder. They are of this process alone, and need not outlive it: what an earlier one left is removed. */
export class PayloadFolder implements Payloads {
  totalBytes = 0;
  readonly #folder: string;
  #count = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(folder: string): Promise<PayloadFolder> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
    return new PayloadFolder(folder);
  }

  create(byteLength: number): PayloadFile {
    this.#count += 1;
    this.totalBytes += byteLength;
    return new FileOnDisk(join(this.#folder, `payload.${this.#count}`), () => {
      this.totalBytes -= byteLength;
    });
  }
}

class FileOnDisk implements PayloadFile {
  readonly #path: string;
  readonly #removed: () => void;
  #file: Promise<FileHandle> | undefined;
  /** Writes go one after another. */
  #written: Promise<void> = Promise.resolve();
  #removal: Promise<void> | undefined;

  constructor(path: string, removed: () => void) {
    this.#path = path;
    this.#removed = removed;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.#written = this.#written.then(async () => {
      if (this.#removal === undefined) await (await this.#open()).writeFile(bytes); // Each goes on where the last one ended.
    });
    return this.#written;
  }

  async *read(): AsyncGenerator<Uint8Array, void> {
    await this.#written;
    const file = await this.#open();
    for (let position = 0; ; ) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  remove(): Promise<void> {
    this.#removal ??= this.#remove().then(this.#removed);
    return this.#removal;
  }

  async #remove(): Promise<void> {
    await this.#written.catch(() => undefined);
    await this.#file?.then((file) => file.close()).catch(() => undefined);
    await rm(this.#path, { force: true }).catch(() => undefined); // The next process removes it.
  }

  #open(): Promise<FileHandle> {
    return (this.#file ??= open(this.#path, "wx+", 0o600));
  }
}
