import type { LogLine } from "@longshore/sdk";
import { StillRing } from "../shell/still-ring.ts";

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

/** The lines of what is followed, oldest first. Their ring can be held still while more come in. */
export class LogStore {
  readonly ring: StillRing<KeptLine>;

  constructor(capacity = linesKept) {
    this.ring = new StillRing(capacity);
  }

  take(line: LogLine): void {
    const most = lineCharactersKept;
    const kept = line.line.length <= most ? line : { ...line, line: `${line.line.slice(0, most)} … ${line.line.length - most} characters more, not kept here: longshore logs has them` };
    this.ring.push({ number: this.ring.count, line: kept });
  }

  list(filter: LogFilter): readonly KeptLine[] {
    const items = this.ring.items();
    const text = filter.text.toLowerCase();
    if (text === "" && filter.stream === undefined && filter.site === undefined && filter.agentId === undefined) return items;
    return items.filter(({ line }) => isWanted(line, filter, text));
  }

  /** Hosts that wrote any of what is kept, in order. */
  hosts(): readonly string[] {
    return [...new Set(this.ring.latest().map(({ line }) => line.agentId))].sort();
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
