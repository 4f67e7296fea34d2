import { fitWidth, textWidth } from "./text-width.ts";
import type { Terminal } from "./terminal.ts";

/** Several things under way at once, shown on stderr: live lines with bars on a terminal, else a plain line at each change worth one. */
export interface Progress {
  /** How far `name` has come; `total` 0 when nobody knows yet. */
  readonly update: (name: string, text: string, done?: number, total?: number) => void;
  /** Leaves the last state standing, one line per name, and ends. */
  readonly finish: () => void;
}

interface Line {
  text: string;
  done: number;
  total: number;
  /** Tenths of the way last written as a plain line. */
  writtenTenths: number;
  writtenText: string;
}

const barColumns = 24;
const leastBarColumns = 8;

/** Progress on a terminal's stderr; with `isQuiet` (machine output) nothing is shown. */
export function createProgress(terminal: Terminal, isQuiet = false): Progress {
  if (isQuiet) return { update: () => undefined, finish: () => undefined };
  const lines = new Map<string, Line>();
  return terminal.isErrLive ? liveProgress(terminal, lines) : plainProgress(terminal, lines);
}

function take(lines: Map<string, Line>, name: string, text: string, done: number, total: number): Line {
  const line = lines.get(name) ?? { text, done, total, writtenTenths: -1, writtenText: "" };
  Object.assign(line, { text, done, total });
  lines.set(name, line);
  return line;
}

function plainProgress(terminal: Terminal, lines: Map<string, Line>): Progress {
  return {
    update: (name, text, done = 0, total = 0) => {
      const line = take(lines, name, text, done, total);
      const tenths = total === 0 ? 0 : Math.floor((done / total) * 10);
      // With a total the text holds the amount too, and changes all the time.
      if (tenths <= line.writtenTenths && (total > 0 || text === line.writtenText)) return;
      Object.assign(line, { writtenTenths: tenths, writtenText: text });
      terminal.note(`${name}: ${text}${total === 0 ? "" : ` ${tenths * 10} %`}`);
    },
    finish: () => undefined,
  };
}

function liveProgress(terminal: Terminal, lines: Map<string, Line>): Progress {
  let drawn = 0;
  let isFinished = false;
  const draw = (): void => {
    const up = drawn === 0 ? "" : `\u001b[${drawn}A`;
    terminal.err.write(up + [...lines].map(([name, line]) => `\u001b[2K${drawLine(terminal, name, line)}\n`).join(""));
    drawn = lines.size;
  };
  return {
    update: (name, text, done = 0, total = 0) => {
      if (isFinished) return;
      take(lines, name, text, done, total);
      draw();
    },
    finish: () => {
      isFinished = true;
    },
  };
}

function drawLine(terminal: Terminal, name: string, { text, done, total }: Line): string {
  const shown = `${name}: ${text}`;
  const columns = terminal.columns() - 1;
  if (total === 0) return fitWidth(shown, columns);
  // A narrow terminal costs the bar before it costs the text.
  const bar = Math.min(barColumns, Math.max(leastBarColumns, columns - 1 - textWidth(shown)));
  const filled = Math.round((Math.min(done, total) / total) * bar);
  return `${fitWidth(shown, columns - 1 - bar)} ${terminal.errStyle.green("━".repeat(filled))}${terminal.errStyle.dim("━".repeat(bar - filled))}`;
}
