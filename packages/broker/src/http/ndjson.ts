import type { ServerResponse } from "node:http";
import { once } from "node:events";

/** An answer of JSON lines, written as they come; a slow reader slows their source. */
export class LineAnswer {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse) {
    this.#response = response;
    response.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
    response.flushHeaders();
  }

  /** Writes one line without waiting. */
  line(value: unknown): boolean {
    return this.#response.write(`${JSON.stringify(value)}\n`);
  }

  /** Writes every line of a source; ends early when the reader is gone. */
  async pipe(lines: AsyncIterable<unknown> | Iterable<unknown>, signal: AbortSignal): Promise<void> {
    for await (const value of lines) {
      if (signal.aborted) return;
      if (!this.line(value)) await once(this.#response, "drain", { signal }).catch(() => undefined);
    }
  }

  end(): void {
    this.#response.end();
  }
}

/** Aborted when the caller's connection closes before the answer is whole. */
export function abortOnClose(response: ServerResponse): AbortSignal {
  const abort = new AbortController();
  response.on("close", () => {
    if (!response.writableFinished) abort.abort();
  });
  return abort.signal;
}
