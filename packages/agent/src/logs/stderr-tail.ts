/** That much of a program's stderr is evidence of its failure. */
export const stderrTailBytes = 4 * 1024;

/** The last {@link stderrTailBytes} of a stream. */
export class StderrTail {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  push(bytes: Uint8Array): void {
    // A copy of the part that can matter: the view would keep a whole socket buffer alive.
    const part = Buffer.from(bytes.subarray(-stderrTailBytes));
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > 4 * stderrTailBytes) this.#compact();
  }

  /** As text; a character cut in two at the beginning is left out. Undefined when nothing was written. */
  text(): string | undefined {
    this.#compact();
    const [tail] = this.#parts;
    if (tail === undefined || tail.length === 0) return undefined;
    let start = 0;
    while (tail.length === stderrTailBytes && start < 3 && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return Buffer.from(tail.buffer, tail.byteOffset + start, tail.length - start).toString("utf8");
  }

  #compact(): void {
    if (this.#parts.length <= 1) return;
    const tail = Buffer.concat(this.#parts).subarray(-stderrTailBytes);
    this.#parts = [tail];
    this.#bytes = tail.length;
  }
}
