/** The last bytes of a stream, at most so many, in one buffer for as long as it lives: streams can be long. */
export class LastBytes {
  readonly #maxBytes: number;
  #buffer: Buffer | undefined;
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Uint8Array): void {
    const part = bytes.subarray(-this.#maxBytes);
    this.#buffer ??= Buffer.allocUnsafe(2 * this.#maxBytes);
    if (this.#length + part.length > this.#buffer.length) {
      const kept = this.#maxBytes - part.length;
      this.#buffer.copyWithin(0, this.#length - kept, this.#length);
      this.#length = kept;
    }
    this.#buffer.set(part, this.#length);
    this.#length += part.length;
  }

  /** A view, good until more is pushed. */
  bytes(): Uint8Array {
    return this.#buffer?.subarray(Math.max(0, this.#length - this.#maxBytes), this.#length) ?? new Uint8Array(0);
  }

  clear(): void {
    this.#length = 0;
  }
}
