/** Lines are cut here, so that a program that never breaks one cannot fill the memory. */
export const maxLineBytes = 16 * 1024;
/** What stands at the end of a line that was cut; the rest of it follows as lines of its own. */
export const cutMark = " …[line cut]";

const lineFeed = 10;
const carriageReturn = 13;

/** Turns a stream of bytes into lines of text: without their line break, otherwise untouched; bytes that are no UTF-8 become U+FFFD. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const room = at + maxLineBytes - this.#bytes;
      const feed = bytes.indexOf(lineFeed, at);
      if (feed !== -1 && feed <= room) {
        this.#keep(bytes.subarray(at, feed));
        this.#emit("");
        at = feed + 1;
      } else if (bytes.length > room) {
        const cut = characterStart(bytes, at, room);
        this.#keep(bytes.subarray(at, cut));
        this.#emit(cutMark);
        at = cut;
      } else {
        // A copy: the bytes are a view of a buffer that would be kept alive whole.
        this.#keep(Buffer.from(bytes.subarray(at)));
        return;
      }
    }
  }

  /** The stream ended: what is left is the last line. */
  end(): void {
    if (this.#bytes > 0) this.#emit("");
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  #emit(mark: string): void {
    const line = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    const end = mark === "" && line.at(-1) === carriageReturn ? line.length - 1 : line.length;
    this.#onLine(line.toString("utf8", 0, end) + mark);
  }
}

/** The last place at or before `at` where a UTF-8 character begins, but never as far back as `from`. */
function characterStart(bytes: Uint8Array, from: number, at: number): number {
  let start = at;
  while (start > from && at - start < 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start -= 1;
  return start > from && at - start < 4 ? start : at;
}
