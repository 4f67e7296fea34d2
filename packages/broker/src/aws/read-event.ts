import type { IncomingMessage } from "node:http";
import { announcedBytes, readBody } from "../http/request-body.ts";
import { AwsError } from "./aws-error.ts";

/** AWS's own limit of an event and of an answer that is not streamed: 6 MB. */
export const payloadMaxBytes = 6 * 2 ** 20;

/** Of an event that is too large so much more is read and thrown away, since AWS's clients read no answer before they have sent it. */
const discardedMaxBytes = 64 * 2 ** 20;

/** Reads an event whole. Throws an AwsError for one over 6 MB, a LongshoreError for one that comes too slowly or not whole. */
export function readEvent(request: IncomingMessage, idleMs: number): Promise<Uint8Array> {
  if ((announcedBytes(request) ?? 0) > payloadMaxBytes + discardedMaxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let byteLength = 0;
    readBody(request, payloadMaxBytes + discardedMaxBytes, idleMs, {
      data(part) {
        byteLength += part.length;
        if (byteLength <= payloadMaxBytes) parts.push(part);
        else parts.length = 0;
        return true;
      },
      end: () => {
        if (byteLength > payloadMaxBytes) reject(tooLarge());
        else resolve(Buffer.concat(parts));
      },
      failed: (error) => reject(error.reason === "payload_too_large" ? tooLarge() : error),
    });
  });
}

function tooLarge(): AwsError {
  return new AwsError("RequestTooLargeException", 413, `Request must be smaller than or equal to ${payloadMaxBytes} bytes for the InvokeFunction operation`);
}
