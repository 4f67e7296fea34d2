import { LongshoreError } from "@longshore/protocol";
import type { IncomingMessage } from "node:http";

const nothing = new Uint8Array(0);

/** What a request said of its body: its length where it is known, undefined for a chunked one. */
export function announcedBytes(request: IncomingMessage): number | undefined {
  const length = request.headers["content-length"];
  if (length !== undefined) return Number(length);
  return request.headers["transfer-encoding"] === undefined ? 0 : undefined;
}

/** Refuses a body that is too large by its own word, before any of it is read. */
export function checkAnnounced(request: IncomingMessage, maxBytes: number): void {
  const bytes = announcedBytes(request);
  if (bytes !== undefined && !(bytes <= maxBytes)) throw tooLarge(maxBytes);
}

/** Reads a body whole; throws `payload_too_large`, `body_too_slow`, `body_incomplete`. */
export function collectBody(request: IncomingMessage, maxBytes: number, idleMs: number): Promise<Uint8Array> {
  if (announcedBytes(request) === 0) return Promise.resolve(nothing);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    readBody(request, maxBytes, idleMs, {
      data(part) {
        parts.push(part);
        return true;
      },
      end() {
        resolve(parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts));
      },
      failed: reject,
    });
  });
}

/** What is told of a body as it comes. `data` returns false to pause it; `end` or `failed` is the last call. */
export interface BodyListener {
  data(part: Buffer): boolean;
  end(): void;
  failed(error: LongshoreError): void;
}

/** Streams a body within its limits. */
export function readBody(request: IncomingMessage, maxBytes: number, idleMs: number, listener: BodyListener): { resume(): void; stop(): void } {
  let received = 0;
  let isOver = false;
  let heardAt = performance.now();
  const watchdog = setInterval(() => {
    if (!request.isPaused() && performance.now() - heardAt > idleMs) finish(new LongshoreError("body_too_slow", `Cannot read request body: nothing came for ${Math.round(idleMs / 1000)} s`, { phase: "admission", field: "body" }));
  }, Math.max(10, idleMs / 4));

  const finish = (error?: LongshoreError) => {
    if (isOver) return;
    isOver = true;
    clearInterval(watchdog);
    if (error === undefined) listener.end();
    else listener.failed(error);
  };

  request.on("data", (part: Buffer) => {
    if (isOver) return;
    heardAt = performance.now();
    received += part.length;
    if (received > maxBytes) return finish(tooLarge(maxBytes));
    if (!listener.data(part)) request.pause();
  });
  request.on("end", () => { finish(); });
  request.on("close", () => {
    if (!request.complete) finish(new LongshoreError("body_incomplete", "Cannot read request body: the connection ended before it was whole", { phase: "admission", field: "body" }));
  });

  return {
    resume() {
      heardAt = performance.now();
      request.resume();
    },
    stop() {
      isOver = true;
      clearInterval(watchdog);
      request.resume(); // What still comes is thrown away, so that the answer can be read.
    },
  };
}

function tooLarge(maxBytes: number): LongshoreError {
  return new LongshoreError("payload_too_large", `Cannot take request body: more than ${maxBytes} bytes`, { phase: "admission", field: "body" });
}
