import { LastBytes } from "./last-bytes.ts";

/** That much of a program's stderr is evidence of its failure. */
export const stderrTailBytes = 4 * 1024;

/** The last {@link stderrTailBytes} of a stream. */
export class StderrTail {
  readonly #last = new LastBytes(stderrTailBytes);

  push(bytes: Uint8Array): void {
    this.#last.push(bytes);
  }

  /** As text; a character cut in two at the beginning is left out. Undefined when nothing was written. */
  text(): string | undefined {
    const tail = this.#last.bytes();
    if (tail.length === 0) return undefined;
    let start = 0;
    while (tail.length === stderrTailBytes && start < 3 && ((tail[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return Buffer.from(tail.buffer, tail.byteOffset + start, tail.length - start).toString("utf8");
  }
}
