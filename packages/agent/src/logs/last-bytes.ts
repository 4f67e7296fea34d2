/** The last bytes of a stream, at most so many. */
export class LastBytes {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(bytes: Uint8Array): void {
    // A copy of the part that can matter: the view would keep a whole socket buffer alive.
    const part = Buffer.from(bytes.subarray(-this.#maxBytes));
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > 4 * this.#maxBytes) this.bytes();
  }

  bytes(): Uint8Array {
    const tail = Buffer.concat(this.#parts).subarray(-this.#maxBytes);
    this.#parts = [tail];
    this.#bytes = tail.length;
    return tail;
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }
}
