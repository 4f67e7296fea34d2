import { headers as ours, LongshoreError } from "@longshore/protocol";
import type { OutgoingCall } from "./call.ts";

/** Where a call goes: a plain one to the function's invocations, one that is HTTP-shaped to its URL. Throws `bad_schema` for a path that `fetch` would lead elsewhere. */
export function targetOf({ functionName, method, path }: Pick<OutgoingCall, "functionName" | "method" | "path">): string {
  const name = encodeURIComponent(functionName);
  if (method === "POST" && path === "/") return `/v1/functions/${name}/invocations`;
  const target = `/f/${name}${path}`;
  const url = new URL(target, "http://broker");
  if (url.pathname.startsWith(`/f/${name}/`) && url.hash === "" && url.host === "broker") return target;
  throw new LongshoreError("bad_schema", `Cannot call "${functionName}" over HTTP: its path ${JSON.stringify(path.slice(0, 80))} leads elsewhere`, { field: "path" });
}

/** A call whose body may be read more than once, or not. */
type Sendable = Omit<OutgoingCall, "body"> & { readonly body: OutgoingCall["body"] | Blob };

/** A call as `fetch` takes it; throws naming what cannot be sent this way. */
export function requestOf(call: Sendable, authorization: Readonly<Record<string, string>>): RequestInit & { duplex?: "half" } {
  const { body, method, signal, functionName } = call;
  if (call.detach) throw new LongshoreError("bad_schema", "Cannot detach a call over HTTP: use the WebSocket transport", { field: "detach" });
  const isEmpty = body instanceof Uint8Array && body.length === 0;
  if (!isEmpty && (method === "GET" || method === "HEAD")) throw new LongshoreError("bad_schema", `Cannot call "${functionName}" over HTTP: ${method} takes no body`, { field: "body" });
  return {
    method,
    headers: headersOf(call, authorization),
    redirect: "manual",
    ...(!isEmpty && { body: body as BodyInit }),
    ...(body instanceof ReadableStream && { duplex: "half" as const }),
    ...(signal !== undefined && { signal }),
  };
}

function headersOf(call: Sendable, authorization: Readonly<Record<string, string>>): Headers {
  const headers = new Headers(authorization);
  for (const [name, value] of call.headers) append(headers, name, value);
  if (call.idempotencyKey === undefined) headers.set(ours.invocationId, call.invocationId);
  else append(headers, ours.idempotencyKey, call.idempotencyKey);
  if (call.where !== undefined) append(headers, ours.where, call.where);
  if (call.timeoutMs !== undefined) headers.set(ours.deadlineMs, String(Math.ceil(call.timeoutMs)));
  return headers;
}

function append(headers: Headers, name: string, value: string): void {
  try {
    headers.append(name, value);
  } catch (cause) {
    throw new LongshoreError("bad_header", `Cannot send header ${JSON.stringify(name.slice(0, 80))}: it is not one`, { field: `headers.${name.slice(0, 80)}`, cause });
  }
}
