import { openAsBlob } from "node:fs";
import { Readable } from "node:stream";
import { UsageError } from "../command-line/usage-error.ts";
import type { CallBody } from "../fleet.ts";
import type { Terminal } from "../terminal/terminal.ts";

/**
 * What to send: the text of `-d`, the bytes of a file (`-d @file`), or stdin (`-d @-`, and without `-d` whenever stdin is no terminal).
 * A person at a terminal who gives nothing sends nothing. Throws UsageError when a file cannot be read.
 */
export async function openBody(data: string | undefined, terminal: Terminal): Promise<CallBody> {
  if (data === undefined) return terminal.isInputTerminal ? undefined : readInput(terminal);
  if (data === "@-") return readInput(terminal);
  if (!data.startsWith("@")) return new TextEncoder().encode(data);
  const path = data.slice(1);
  try {
    return await openAsBlob(path);
  } catch (cause) {
    throw new UsageError(`Cannot read ${path}: ${(cause as Error).message.replace(/^[A-Z]+: /, "")}`, "-d @FILE reads a file; text that begins with @ can be given on stdin");
  }
}

function readInput(terminal: Terminal): ReadableStream<Uint8Array> {
  return Readable.toWeb(terminal.input) as ReadableStream<Uint8Array>;
}
