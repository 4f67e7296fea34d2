import type { OutgoingHttpHeaders, ServerResponse } from "node:http";

/** Answers with a body that is whole, or comes in parts, no faster than the caller takes it. What breaks off breaks the connection: a part never passes for the whole. */
export async function answerBody(response: ServerResponse, headers: OutgoingHttpHeaders, body: Uint8Array | AsyncIterable<Uint8Array>, byteLength: number): Promise<void> {
  if (body instanceof Uint8Array) return void response.writeHead(200, { ...headers, "Content-Length": byteLength }).end(body);
  const parts = body[Symbol.asyncIterator]();
  const first = await parts.next(); // What cannot be read at all is told by its status.
  response.writeHead(200, { ...headers, "Content-Length": byteLength });
  try {
    for (let part = first; part.done !== true; part = await parts.next()) {
      if (response.destroyed) break;
      if (!response.write(part.value)) await drained(response);
    }
    response.end();
  } catch {
    response.destroy();
  } finally {
    await parts.return?.();
  }
}

/** Resolves when there is room, or nobody to take it. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}
