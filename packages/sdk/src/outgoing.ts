import { createInvocationId, formatWhere, LongshoreError, parseInput, whereSchema } from "@longshore/protocol";
import type { CallBody, CallOptions, OutgoingCall, Where } from "./call.ts";

const encoder = new TextEncoder();
const nothing = new Uint8Array(0);

/** A call with its defaults filled in. Throws `bad_schema` naming an option that cannot be used. */
export function outgoingCall(functionName: string, body: CallBody, options: CallOptions): OutgoingCall {
  const { path = "/", method = "POST", where } = options;
  if (!path.startsWith("/")) throw new LongshoreError("bad_schema", `Cannot call "${functionName}": path must begin with /`, { field: "path" });
  if (options.idempotencyKey !== undefined && options.invocationId !== undefined) throw new LongshoreError("bad_schema", `Cannot call "${functionName}" with both idempotencyKey and invocationId: the key decides the id`, { field: "idempotencyKey" });
  return {
    functionName,
    invocationId: options.invocationId ?? createInvocationId(),
    idempotencyKey: options.idempotencyKey,
    method,
    path: asWritten(path),
    headers: options.headers ?? [],
    where: typeof where === "object" ? writeWhere(where) : where,
    timeoutMs: options.timeoutMs,
    detach: options.detach ?? false,
    signal: options.signal,
    body: bodyOf(body),
  };
}

/** As a request line takes it: spaces and what is not ASCII percent-encoded, as `fetch` does; the rest stays as it is. */
function asWritten(path: string): string {
  return path.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

/** Checked, since a misspelt key would let the call run anywhere. */
function writeWhere(where: Where): string {
  return formatWhere(parseInput(whereSchema, where, "where"));
}

function bodyOf(body: CallBody): Uint8Array | ReadableStream<Uint8Array> {
  if (body === undefined) return nothing;
  if (typeof body === "string") return encoder.encode(body);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (body instanceof Blob) return body.stream();
  return body;
}

/** The caller gave up. */
export function abandoned(functionName: string, signal: AbortSignal | undefined): LongshoreError {
  return new LongshoreError("caller_gone", `Gave up calling "${functionName}"`, { cause: signal?.reason });
}
