import { LongshoreError } from "@longshore/protocol";
import type { IncomingMessage } from "node:http";
import { checkAnnounced, collectBody } from "./request-body.ts";
import type { HttpLimits } from "./limits.ts";

/** JSON nested deeper than this is nobody's document. */
const maxDepth = 32;

/** Reads a request's body as a JSON document; throws `payload_too_large` or `bad_schema`. An empty body is an empty object. */
export async function readDocument(request: IncomingMessage, limits: HttpLimits): Promise<unknown> {
  checkAnnounced(request, limits.documentBytes);
  const bytes = await collectBody(request, limits.documentBytes, limits.bodyIdleMs);
  if (bytes.length === 0) return {};
  return parseDocument(bytes);
}

/** Parses a JSON document that came from outside. */
export function parseDocument(bytes: Uint8Array): unknown {
  try {
    checkDepth(bytes);
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    if (cause instanceof LongshoreError) throw cause;
    throw new LongshoreError("bad_schema", `Cannot read request body: ${cause instanceof Error ? cause.message : "not JSON"}`, { phase: "admission", field: "body", cause });
  }
}

/** Before parsing, since a deep document costs the most while it is parsed. Brackets inside strings are passed over. */
function checkDepth(bytes: Uint8Array): void {
  let depth = 0;
  let isString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (isString) {
      if (byte === 0x5c) at += 1;
      else if (byte === 0x22) isString = false;
    } else if (byte === 0x22) isString = true;
    else if (byte === 0x7b || byte === 0x5b) depth += 1;
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    if (depth > maxDepth) throw new LongshoreError("bad_schema", `Cannot read request body: nested deeper than ${maxDepth}`, { phase: "admission", field: "body" });
  }
}
