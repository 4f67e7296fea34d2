import {
  createInvocationId,
  functionNameSchema,
  type HeaderList,
  invocationIdSchema,
  isHopByHop,
  isReserved,
  LongshoreError,
  parseName,
  parseWhere,
  type SocketOpen,
  type TenantId,
} from "@longshore/protocol";
import type { InvocationRequest } from "../invocation/request.ts";

type InvokeOpen = Extract<SocketOpen, { what: "invoke" }>;

/** Turns the head and first body bytes of an `open` into a request with every name checked; throws naming the field. */
export function readInvocation(open: InvokeOpen, body: Uint8Array, tenantId: TenantId): InvocationRequest {
  const { invocationId, where, request, more } = open;
  return {
    invocationId: invocationId === undefined ? createInvocationId() : parseName(invocationIdSchema, invocationId, "invocationId"),
    tenantId,
    functionName: parseName(functionNameSchema, open.functionName, "functionName"),
    where: where === undefined ? {} : parseWhere(where, "where"),
    timeoutMs: open.timeoutMs,
    detach: open.detach ?? false,
    request: { method: request.method, target: request.target, headers: passedOn(request.headers) },
    upgrade: false,
    body,
    more,
    bodyBytes: more ? undefined : body.length,
  };
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;
const maxHeaders = 200;
const maxHeaderBytes = 64 * 1024;

/**
 * A caller's headers as the function sees them: hop-by-hop ones and ours are left out, and the length, which is the frame's to say;
 * what HTTP does not allow is an error.
 */
export function passedOn(headers: HeaderList): [name: string, value: string][] {
  const byteLength = headers.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
  if (headers.length > maxHeaders || byteLength > maxHeaderBytes) {
    throw new LongshoreError("headers_too_large", `Cannot take ${headers.length} headers of ${byteLength} bytes: at most ${maxHeaders} of ${maxHeaderBytes}`, { field: "request.headers" });
  }
  return headers.flatMap(([name, value], index): [string, string][] => {
    const field = `request.headers[${index}]`;
    if (!headerName.test(name)) throw new LongshoreError("bad_header", `Cannot send header ${JSON.stringify(name.slice(0, 64))}: not a header's name`, { field });
    if (!headerValue.test(value)) throw new LongshoreError("bad_header", `Cannot send header "${name}": its value holds what a header cannot`, { field });
    const lowerCaseName = name.toLowerCase();
    return isHopByHop(lowerCaseName) || isReserved(lowerCaseName) || lowerCaseName === "content-length" ? [] : [[name, value]];
  });
}
