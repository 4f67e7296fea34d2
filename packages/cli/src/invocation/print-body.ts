import { inertBody } from "../terminal/inert-body.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { copyBody } from "./copy-body.ts";

/** Writes a body to stdout: to a file or a pipe byte for byte, to a terminal so that it can do nothing there but be read. Throws as {@link copyBody} does. */
export function printBody(body: AsyncIterable<Uint8Array>, { out, isOutTerminal }: Terminal): Promise<void> {
  return copyBody(isOutTerminal ? inertBody(body) : body, out);
}
