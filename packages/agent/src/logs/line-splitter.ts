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
        this.#emit();
        at = feed + 1;
      } else if (bytes.length > room) {
        this.#keep(bytes.subarray(at, room));
        this.#cut(bytes[room] ?? 0);
        at = room;
      } else {
        // A copy: the bytes are a view of a buffer that would be kept alive whole.
        this.#keep(Buffer.from(bytes.subarray(at)));
        return;
      }
    }
  }

  /** The stream ended: what is left is the last line. */
  end(): void {
    if (this.#bytes > 0) this.#emit();
  }

  /** What would follow is missing: the line so far is given as one that was cut. */
  breakOff(): void {
    if (this.#bytes > 0) this.#cut(0);
  }

  #keep(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
  }

  #emit(): void {
    const line = this.#take();
    const end = line.at(-1) === carriageReturn ? line.length - 1 : line.length;
    this.#onLine(line.toString("utf8", 0, end));
  }

  /** The line is full, and `next` would follow: a character that has begun goes into the next line whole. */
  #cut(next: number): void {
    const line = this.#take();
    const end = isContinuation(next) ? lastCharacterStart(line) : line.length;
    this.#onLine(line.toString("utf8", 0, end) + cutMark);
    if (end < line.length) this.#keep(Buffer.from(line.subarray(end)));
  }

  #take(): Buffer {
    const line = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return line;
  }
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** Where the last UTF-8 character begins; the end where none does within its longest. */
function lastCharacterStart(bytes: Uint8Array): number {
  for (let at = bytes.length - 1; at >= 0 && at >= bytes.length - 3; at -= 1) {
    if (!isContinuation(bytes[at] ?? 0)) return at;
  }
  return bytes.length;
}
