import type { Readable, Writable } from "node:stream";
import { createStyle, type Style, wantsColour } from "./style.ts";

/** Of a terminal, in characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The three streams of a command, what kind each is, and how to write lines to them. */
export interface Terminal {
  readonly input: Readable;
  readonly out: Writable;
  readonly err: Writable;
  readonly isInputTerminal: boolean;
  readonly isOutTerminal: boolean;
  readonly isErrTerminal: boolean;
  /** Whether lines on stderr may be drawn over. */
  readonly isErrLive: boolean;
  /** Columns of the terminal behind stderr; 80 where unknown. */
  readonly columns: () => number;
  /** Size of the terminal behind stdout, in characters; 80 by 24 where unknown. */
  readonly size: () => Size;
  /** Has something done when the process ends, however it does; returns what takes that back. */
  readonly onProcessEnd: (act: () => void) => () => void;
  /** Colours for stdout. */
  readonly style: Style;
  /** Colours for stderr. */
  readonly errStyle: Style;
  /** A line of the command's answer, to stdout. */
  readonly print: (line: string) => void;
  /** A line about the command, to stderr. */
  readonly note: (line: string) => void;
}

export interface TerminalStreams {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly out: Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };
  readonly err: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly environment: NodeJS.ProcessEnv;
  /** Default: nobody is told of the process's end. */
  readonly onProcessEnd?: Terminal["onProcessEnd"];
}

/** A terminal over three streams. */
export function createTerminal({ input, out, err, environment, onProcessEnd = () => () => undefined }: TerminalStreams): Terminal {
  const isOutTerminal = out.isTTY === true;
  const isErrTerminal = err.isTTY === true;
  return {
    input, out, err, isOutTerminal, isErrTerminal, onProcessEnd,
    isInputTerminal: input.isTTY === true,
    isErrLive: isErrTerminal && environment["TERM"] !== "dumb",
    // Some terminals say 0.
    columns: () => err.columns || 80,
    size: () => ({ columns: out.columns || 80, rows: out.rows || 24 }),
    style: createStyle(wantsColour(isOutTerminal, environment)),
    errStyle: createStyle(wantsColour(isErrTerminal, environment)),
    print: (line) => void out.write(`${line}\n`),
    note: (line) => void err.write(`${line}\n`),
  };
}
