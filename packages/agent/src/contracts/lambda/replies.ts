import type { IncomingMessage, ServerResponse } from "node:http";

/** Answers a request of a runtime or an extension with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { ...headers, "Content-Type": "application/json", "Content-Length": body.length });
  response.end(body);
}

/** It is taken. */
export function sendAccepted(response: ServerResponse): void {
  sendJson(response, 202, { status: "OK" });
}

/** Refuses a request in the Runtime API's form. */
export function sendRefusal(response: ServerResponse, status: number, errorType: string, errorMessage: string): void {
  sendJson(response, status, { errorMessage, errorType });
}

/** What was asked does not fit what the runtime was doing. */
export function sendOutOfTurn(response: ServerResponse, errorMessage: string): void {
  sendRefusal(response, 403, "InvalidStateTransition", errorMessage);
}

/**
 * Reads a body whole, and what is beyond the limit without keeping it, since a client that cannot finish its request does not read the
 * answer to it. Resolves with `too_large` then, and with `broken` when the connection ends first.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too_large" | "broken"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let byteLength = 0;
    request.on("data", (chunk: Buffer) => {
      byteLength += chunk.length;
      if (byteLength <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on("end", () => resolve(byteLength > maxBytes ? "too_large" : Buffer.concat(chunks)));
    request.on("close", () => resolve("broken"));
    request.on("error", () => resolve("broken"));
  });
}
