import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ResultSegment } from "../../../packages/agent/src/journal/result-segment.ts";

/** What lies in an agent's outbox and waits to be settled. */
export interface OutboxContents {
  readonly waiting: readonly string[];
  /** As its quota counts them. */
  readonly bytes: number;
}

/**
 * Reads it from the files that the agent writes meanwhile, as little as may be at a time: what looks on must not take the processor from what it
 * looks at. A settled result stays in its segment until all of that is settled: which ones are, the log of starts tells, where it has no end of
 * what still waits.
 */
export class OutboxReader {
  readonly #folder: string;
  readonly #starts: StartLogReader;
  #segments = new Map<string, Segment>();

  constructor(dataFolder: string) {
    this.#folder = join(dataFolder, "outbox");
    this.#starts = new StartLogReader(join(dataFolder, "journal", "begun"));
  }

  async read(): Promise<OutboxContents> {
    const open = await this.#starts.read();
    const names = (await readdir(this.#folder)).sort((a, b) => numberOf(a) - numberOf(b));
    const segments = new Map<string, Segment>();
    for (const name of names) {
      const segment = await this.#segment(name).catch(() => undefined);
      if (segment !== undefined) segments.set(name, segment); // Else it was settled while we looked.
    }
    this.#segments = segments;
    const waiting: string[] = [];
    let bytes = 0;
    for (const [name, { byteLength, found }] of segments) {
      const unsettled = found.filter(({ key }) => open.has(`${key.invocationId} ${key.attempt}`));
      waiting.push(...unsettled.map(({ key }) => key.invocationId));
      bytes += name === names.at(-1) ? unsettled.reduce((sum, { place }) => sum + place.byteLength, 0) : byteLength;
    }
    return { waiting, bytes };
  }

  async #segment(name: string): Promise<Segment> {
    const path = join(this.#folder, name);
    const known = this.#segments.get(name);
    if (known?.byteLength === (await stat(path)).size) return known; // They only grow.
    const { segment, found } = await ResultSegment.read(numberOf(name), path);
    return { byteLength: segment.byteLength, found };
  }
}

interface Segment extends Pick<Awaited<ReturnType<typeof ResultSegment.read>>, "found"> {
  readonly byteLength: number;
}

const numberOf = (name: string) => Number(name.replace("results.", ""));

/** `B id attempt …` for a beginning, `E id attempt` once its result is settled. The file grows, until a shorter one takes its place. */
class StartLogReader {
  readonly #path: string;
  #inode = 0;
  #readBytes = 0;
  #rest = "";
  #open = new Set<string>();

  constructor(path: string) {
    this.#path = path;
  }

  /** What was begun and not settled, as far as lines are whole. */
  async read(): Promise<ReadonlySet<string>> {
    const file = await open(this.#path).catch(() => undefined);
    if (file === undefined) return this.#open;
    try {
      const { ino, size } = await file.stat();
      if (ino !== this.#inode || size < this.#readBytes) this.#restart(ino);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size - this.#readBytes), 0, size - this.#readBytes, this.#readBytes);
      this.#readBytes += bytesRead;
      this.#take(buffer.toString("latin1", 0, bytesRead)); // What is read of a line is ASCII.
      return this.#open;
    } finally {
      await file.close();
    }
  }

  #restart(inode: number): void {
    this.#inode = inode;
    this.#readBytes = 0;
    this.#rest = "";
    this.#open = new Set();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      const [kind, invocationId, attempt] = line.split(" ", 3);
      if (kind === "B") this.#open.add(`${invocationId} ${attempt}`);
      if (kind === "E") this.#open.delete(`${invocationId} ${attempt}`);
    }
  }
}
