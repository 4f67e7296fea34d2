import type { LogLine } from "@longshore/sdk";
import { Ring } from "../shell/ring.ts";

/** A line as it is kept, with a number that tells it from every other. */
export interface KeptLine {
  readonly number: number;
  readonly line: LogLine;
}

/** Which lines are shown. */
export interface LogFilter {
  /** Found anywhere in a line, upper or lower case. */
  readonly text: string;
  readonly stream?: LogLine["stream"] | undefined;
  readonly site?: string | undefined;
  readonly agentId?: string | undefined;
}

/** So many lines are kept, and of each so many characters: a page that follows for days stays small. */
export const linesKept = 20_000;
export const lineCharactersKept = 256 * 1024;

/** The lines of what is followed, oldest first; it can be held still while more come in. */
export class LogStore {
  readonly #ring: Ring<KeptLine>;
  #still: readonly KeptLine[] | undefined;
  #count = 0;
  #countWhenHeld = 0;

  constructor(capacity = linesKept) {
    this.#ring = new Ring(capacity);
  }

  get count(): number {
    return this.#count;
  }

  get isStill(): boolean {
    return this.#still !== undefined;
  }

  get behind(): number {
    return this.#still === undefined ? 0 : this.#count - this.#countWhenHeld;
  }

  take(line: LogLine): void {
    this.#count += 1;
    const most = lineCharactersKept;
    const kept = line.line.length <= most ? line : { ...line, line: `${line.line.slice(0, most)} … ${line.line.length - most} characters more, not kept here: longshore logs has them` };
    this.#ring.push({ number: this.#count, line: kept });
  }

  hold(): void {
    this.#still = this.#ring.items();
    this.#countWhenHeld = this.#count;
  }

  release(): void {
    this.#still = undefined;
  }

  clear(): void {
    this.#ring.clear();
    if (this.#still !== undefined) this.#still = [];
  }

  list(filter: LogFilter): readonly KeptLine[] {
    const items = this.#still ?? this.#ring.items();
    const text = filter.text.toLowerCase();
    if (text === "" && filter.stream === undefined && filter.site === undefined && filter.agentId === undefined) return items;
    return items.filter(({ line }) => isWanted(line, filter, text));
  }

  /** Hosts that wrote any of what is kept, in order. */
  hosts(): readonly string[] {
    return [...new Set(this.#ring.items().map(({ line }) => line.agentId))].sort();
  }
}

function isWanted(line: LogLine, { stream, site, agentId }: LogFilter, text: string): boolean {
  if (stream !== undefined && line.stream !== stream) return false;
  if (site !== undefined && line.siteId !== site) return false;
  if (agentId !== undefined && line.agentId !== agentId) return false;
  return text === "" || line.line.toLowerCase().includes(text);
}

/** Lines as a file that other tools read: JSON, one a line, as they came. */
export function fileOf(lines: readonly KeptLine[]): string {
  return lines.map(({ line }) => `${JSON.stringify(line)}\n`).join("");
}
