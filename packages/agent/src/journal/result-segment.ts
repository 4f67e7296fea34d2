import { type FileHandle, open, readFile, rm } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { decodeFrame, encodeFrame } from "@longshore/protocol";
import type { AttemptKey, KeptResult } from "./outbox.ts";

/** Where a result lies in its segment. */
export interface Place {
  readonly segment: ResultSegment;
  readonly offset: number;
  readonly byteLength: number;
}

/** Length and checksum, 32 bits each, before every result. */
const headerBytes = 8;

/** One file of results, each whole or not there: it only grows, and goes once all of it is settled. */
export class ResultSegment {
  readonly number: number;
  readonly #path: string;
  /** Absent where an earlier process wrote it: nothing is added to it any more. */
  readonly #file: FileHandle | undefined;
  /** Results that wait to be settled, and their bytes. */
  waiting = 0;
  waitingBytes = 0;
  byteLength = 0;

  private constructor(number: number, path: string, file: FileHandle | undefined) {
    this.number = number;
    this.#path = path;
    this.#file = file;
  }

  /** A fresh one. */
  static async create(number: number, path: string): Promise<ResultSegment> {
    return new ResultSegment(number, path, await open(path, "wx+", 0o600));
  }

  /** One that an earlier process wrote, and what it holds: as far as it was written whole. */
  static async read(number: number, path: string): Promise<{ readonly segment: ResultSegment; readonly found: readonly { readonly key: AttemptKey; readonly place: Place }[] }> {
    const segment = new ResultSegment(number, path, undefined);
    const bytes = await readFile(path);
    const found: { key: AttemptKey; place: Place }[] = [];
    for (let offset = 0; ; ) {
      const payload = payloadAt(bytes, offset);
      if (payload === undefined) break; // What follows was never synced.
      const { invocationId, attempt } = readResult(payload);
      found.push({ key: { invocationId, attempt }, place: { segment, offset, byteLength: headerBytes + payload.length } });
      offset += headerBytes + payload.length;
    }
    segment.byteLength = bytes.length;
    return { segment, found };
  }

  /** Adds these, in one write, and syncs; their places. Rejects when the disk did not take them: then nothing more is to be added here. */
  async append(results: readonly Uint8Array[]): Promise<readonly Place[]> {
    if (this.#file === undefined) throw new Error("An earlier process' segment takes nothing more");
    const parts = results.flatMap((payload) => [headerOf(payload), payload]);
    let offset = this.byteLength;
    const places = results.map((payload) => {
      const place = { segment: this, offset, byteLength: headerBytes + payload.length };
      offset += place.byteLength;
      return place;
    });
    await this.#file.writev(parts, this.byteLength);
    await this.#file.datasync();
    this.byteLength = offset;
    return places;
  }

  /** Throws when it is not whole any more. */
  async readAt({ offset, byteLength }: Place): Promise<KeptResult> {
    const file = this.#file ?? (await open(this.#path, "r"));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(byteLength), 0, byteLength, offset);
      const payload = payloadAt(buffer.subarray(0, bytesRead), 0);
      if (payload === undefined) throw new Error("A kept result is not whole");
      return readResult(payload);
    } finally {
      if (file !== this.#file) await file.close();
    }
  }

  /** Takes it off the disk. */
  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }
}

/** A result as a segment holds it. */
export function payloadOf({ invocationId, attempt, head, body }: KeptResult): Uint8Array {
  return encodeFrame({ kind: "answer", head: { invocationId, attempt, head }, body });
}

function readResult(payload: Uint8Array): KeptResult {
  const frame = decodeFrame(payload);
  if (frame.kind !== "answer") throw new Error(`A frame of kind "${frame.kind}" is no result`);
  const { invocationId, attempt, head } = frame.head as Omit<KeptResult, "body">;
  return { invocationId, attempt, head, body: frame.body };
}

function headerOf(payload: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes);
  header.writeUInt32LE(payload.length, 0);
  header.writeUInt32LE(crc32(payload), 4);
  return header;
}

/** Undefined where no whole result lies. */
function payloadAt(bytes: Buffer, offset: number): Buffer | undefined {
  if (offset + headerBytes > bytes.length) return undefined;
  const end = offset + headerBytes + bytes.readUInt32LE(offset);
  const payload = bytes.subarray(offset + headerBytes, end);
  return end <= bytes.length && end > offset + headerBytes && crc32(payload) === bytes.readUInt32LE(offset + 4) ? payload : undefined;
}
