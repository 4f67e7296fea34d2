import type { Writable } from "node:stream";

/** Whoever read our stdout went away: no fault, and nothing more to do. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/**
 * Copies every byte of a body to a stream, as fast as that takes them and never holding more than one chunk. Throws ReaderGone when the
 * stream is closed at its other end; the body is cancelled then.
 */
export async function copyBody(body: AsyncIterable<Uint8Array>, out: Writable): Promise<void> {
  for await (const chunk of body) await write(out, chunk);
}

const readerGoneCodes: readonly (string | undefined)[] = ["EPIPE", "ERR_STREAM_DESTROYED"];

function write(out: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    out.write(chunk, (error: NodeJS.ErrnoException | null | undefined) => {
      if (error === null || error === undefined) resolve();
      else reject(readerGoneCodes.includes(error.code) ? new ReaderGone() : error);
    });
  });
}
