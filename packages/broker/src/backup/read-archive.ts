import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Readable, Transform } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { LongshoreError } from "@longshore/protocol";
import tar from "tar-stream";
import { damaged } from "./damaged.ts";
import { checksumName, type Manifest, manifestName, parseManifest, type Part } from "./manifest.ts";

/** Told of each part, in the file's order. It may leave the content unread. */
export type VisitPart = (part: Part, content: Readable) => Promise<void>;

const maxManifestBytes = 16 * 2 ** 20;

/**
 * Reads a backup from its first byte to its last and checks all of it against its manifest; each part is told of before that is known.
 * Throws `backup_damaged` naming the file and what is wrong with it.
 */
export async function readArchive(file: string, visit: VisitPart): Promise<Manifest> {
  const reader = new ArchiveReader(file, visit);
  const extract = tar.extract();
  extract.on("entry", (header, content, next) => {
    reader.entry(header.name, content).then(() => next(), (error: unknown) => void extract.destroy(error as Error));
  });
  try {
    await pipeline(createReadStream(file), extract);
  } catch (error) {
    if (error instanceof LongshoreError) throw error;
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw new LongshoreError("bad_schema", `Cannot read "${file}": ${(error as Error).message}`, { field: "file", cause: error });
    throw damaged(file, reader.whereItBroke, error);
  }
  return reader.end();
}

class ArchiveReader {
  readonly #file: string;
  readonly #visit: VisitPart;
  #manifestText: string | undefined;
  #manifest: Manifest | undefined;
  #partsRead = 0;

  constructor(file: string, visit: VisitPart) {
    this.#file = file;
    this.#visit = visit;
  }

  async entry(name: string, content: Readable): Promise<void> {
    if (this.#manifest !== undefined) await this.#part(this.#manifest, name, content);
    else if (this.#manifestText !== undefined) this.#manifest = parseManifest(this.#file, this.#manifestText, name === checksumName ? await this.#text(content) : "");
    else if (name === manifestName) this.#manifestText = await this.#text(content);
    else throw damaged(this.#file, "it is no backup of Longshore");
  }

  end(): Manifest {
    const missing = this.#manifest?.parts[this.#partsRead];
    if (missing !== undefined) throw damaged(this.#file, `it is cut off: "${missing.path}" is missing`);
    if (this.#manifest === undefined) throw damaged(this.#file, "it is no backup of Longshore, or cut off at its beginning");
    return this.#manifest;
  }

  get whereItBroke(): string {
    const part = this.#manifest?.parts[this.#partsRead];
    if (part !== undefined) return `it is cut off or damaged at "${part.path}"`;
    return this.#manifest === undefined ? "it is no backup of Longshore, or damaged at its beginning" : "it is damaged at its end";
  }

  async #part({ parts }: Manifest, name: string, content: Readable): Promise<void> {
    const part = parts[this.#partsRead];
    if (part === undefined) throw damaged(this.#file, `it goes on with "${name}" after its last part`);
    if (part.path !== name) throw damaged(this.#file, `"${part.path}" is missing: "${name}" stands in its place`);
    const checked = new Checked();
    await Promise.all([pipeline(content, checked), this.#visit(part, checked).then(() => void checked.resume())]);
    if (checked.sizeBytes !== part.sizeBytes || checked.sha256 !== part.sha256) throw damaged(this.#file, `"${name}" does not match its checksum`);
    this.#partsRead += 1;
  }

  async #text(content: Readable): Promise<string> {
    let sizeBytes = 0;
    const bounded = new Transform({
      transform: (chunk: Buffer, _encoding, done) => ((sizeBytes += chunk.length) > maxManifestBytes ? done(damaged(this.#file, "its manifest is too large")) : done(null, chunk)),
    });
    const [bytes] = await Promise.all([buffer(bounded), pipeline(content, bounded)]);
    return bytes.toString("utf8");
  }
}

/** Passes bytes through, and knows what they were. */
class Checked extends Transform {
  readonly #hash = createHash("sha256");
  sizeBytes = 0;
  #digest: string | undefined;

  get sha256(): string {
    return (this.#digest ??= this.#hash.digest("hex"));
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.#hash.update(chunk);
    this.sizeBytes += chunk.length;
    done(null, chunk);
  }
}
