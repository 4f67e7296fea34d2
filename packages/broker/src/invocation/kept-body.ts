import { inlineBodyBytes } from "@longshore/protocol";

const nothing = new Uint8Array(0);

/** Counts an answer's body, and keeps it as long as it is small enough for the record. */
export class KeptBody {
  #chunks: Uint8Array[] | undefined = [];
  #byteLength = 0;

  add(bytes: Uint8Array): void {
    this.#byteLength += bytes.length;
    if (this.#byteLength > inlineBodyBytes) this.#chunks = undefined;
    else if (bytes.length > 0) this.#chunks?.push(bytes);
  }

  get byteLength(): number {
    return this.#byteLength;
  }

  /** The whole body; undefined when it was too large to keep. */
  get whole(): Uint8Array | undefined {
    if (this.#chunks === undefined) return undefined;
    if (this.#chunks.length <= 1) return this.#chunks[0] ?? nothing;
    return Buffer.concat(this.#chunks);
  }
}
