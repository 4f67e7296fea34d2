import { inlineBodyBytes, windowBytes } from "@longshore/protocol";
import type { AnswerFile } from "../journal/answer-files.ts";

export interface KeptAnswerParts {
  readonly create: () => AnswerFile;
  readonly remove: () => Promise<void>;
  /** What the disk may still take of it. */
  readonly roomBytes: () => number;
  /** There is room for more, after {@link KeptAnswer.add} said that there was none. */
  readonly drained: () => void;
}

/** What is kept of an answer: it, or that it is in its file, or nothing. */
export type Kept = { readonly body: Uint8Array } | "in its file" | "nothing";

/** An answer as it comes: in memory up to 256 KiB, on disk beyond, and counted alone once the disk has no room for it. */
export class KeptAnswer {
  byteLength = 0;
  readonly #parts: KeptAnswerParts;
  #held: Uint8Array[] = [];
  #file: AnswerFile | undefined;
  #pendingBytes = 0;
  #isGivenUp = false;

  constructor(parts: KeptAnswerParts) {
    this.#parts = parts;
  }

  /** False when whoever brings it should wait until it is drained. */
  add(bytes: Uint8Array): boolean {
    this.byteLength += bytes.length;
    if (this.#isGivenUp || bytes.length === 0) return true;
    this.#held.push(bytes);
    if (this.#file === undefined && this.byteLength <= inlineBodyBytes) return true;
    this.#file ??= this.#parts.create();
    for (const part of this.#held.splice(0)) this.#write(this.#file, part);
    return this.#pendingBytes < windowBytes;
  }

  /** All of it has come; resolves once what is kept of it is safe. */
  async whole(): Promise<Kept> {
    if (this.#file === undefined) return this.#isGivenUp ? "nothing" : { body: Buffer.concat(this.#held) };
    const isSafe = await this.#file.keep().then(() => true, () => false);
    if (isSafe && !this.#isGivenUp) return "in its file";
    await this.#parts.remove();
    return "nothing";
  }

  /** It is none: nothing of it is kept. */
  async drop(): Promise<void> {
    [this.#held, this.byteLength, this.#isGivenUp] = [[], 0, true];
    await this.whole();
  }

  #write(file: AnswerFile, part: Uint8Array): void {
    if (this.#isGivenUp || part.length > this.#parts.roomBytes()) return void (this.#isGivenUp = true);
    this.#pendingBytes += part.length;
    file.write(part).then(() => this.#written(part.length), () => {
      this.#isGivenUp = true;
      this.#written(part.length);
    });
  }

  #written(byteLength: number): void {
    const wasFull = this.#pendingBytes >= windowBytes;
    this.#pendingBytes -= byteLength;
    if (wasFull && this.#pendingBytes < windowBytes) this.#parts.drained();
  }
}
