/** Chunks shorter than this are copied together: passed on singly, each would cost far more than its bytes. */
const smallBytes = 4 * 1024;
const blockBytes = 16 * 1024;

/** Chunks that wait: order and bytes kept, small ones joined, so that what waits costs memory in the measure of its bytes. */
export class SmallChunks {
  #chunks: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #blockFill = 0;

  /** Tells whether a chunk is one that should be joined with others. */
  static isSmall(chunk: Uint8Array): boolean {
    return chunk.length < smallBytes;
  }

  get isEmpty(): boolean {
    return this.#chunks.length === 0 && this.#blockFill === 0;
  }

  append(chunk: Uint8Array): void {
    if (!SmallChunks.isSmall(chunk)) {
      this.#closeBlock();
      this.#chunks.push(chunk);
      return;
    }
    if (this.#blockFill + chunk.length > blockBytes) this.#closeBlock();
    this.#block ??= new Uint8Array(blockBytes);
    this.#block.set(chunk, this.#blockFill);
    this.#blockFill += chunk.length;
  }

  /** All that waited, joined; nothing waits afterwards. */
  take(): readonly Uint8Array[] {
    this.#closeBlock();
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  #closeBlock(): void {
    if (this.#block !== undefined && this.#blockFill > 0) this.#chunks.push(this.#block.subarray(0, this.#blockFill));
    this.#block = undefined;
    this.#blockFill = 0;
  }
}
