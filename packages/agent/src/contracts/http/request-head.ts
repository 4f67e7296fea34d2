import { isHopByHop, LongshoreError } from "@longshore/protocol";
import type { ContractCall } from "../contract.ts";
import { fieldNamePattern, forbiddenInFieldValue } from "./header-field.ts";

/** How the body of a request is framed on the wire. */
export type RequestFraming = "none" | "length" | "chunked";

/** The head of a request as text for the wire (Latin-1, so that header values keep their bytes), and how its body is framed. */
export interface RequestHeadText {
  readonly text: string;
  readonly framing: RequestFraming;
}

/** Methods whose request without a body still says so, since servers expect one (RFC 9110, 8.6). */
const expectsBody = new Set(["POST", "PUT", "PATCH"]);
/** We frame the body ourselves, and the broker has answered an `Expect` already. */
const replaced = new Set(["content-length", "expect"]);

/**
 * Writes a request head as a proxy must: the caller's fields in their order and spelling, without those that concern its own
 * connection; `Host` as the caller sent it; the agent's own fields in place of any of the same name. Throws `bad_header` for what
 * could be read as something else on the wire.
 */
export function writeRequestHead(call: ContractCall, authority: string): RequestHeadText {
  const { method, target, headers } = call.request;
  let host: string | undefined;
  let fields = "";
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (lower === "host") host ??= value;
    else if (!isHopByHop(lower) && !replaced.has(lower) && !call.addedHeaders.some(([added]) => added === lower)) fields += fieldLine(name, value);
  }
  for (const [name, value] of call.addedHeaders) fields += fieldLine(name, value);
  const { framing, field } = framingOf(call);
  return { text: `${method} ${target} HTTP/1.1\r\n${fieldLine("Host", host ?? authority)}${fields}${field}${connectionFields(call)}\r\n`, framing };
}

function fieldLine(name: string, value: string): string {
  if (!fieldNamePattern.test(name) || forbiddenInFieldValue.test(value)) {
    throw new LongshoreError("bad_header", `Cannot pass on header ${JSON.stringify(name.slice(0, 64))}: it is not a valid HTTP field`, { phase: "admission", field: "headers" });
  }
  return `${name}: ${value}\r\n`;
}

function framingOf(call: ContractCall): { framing: RequestFraming; field: string } {
  if (call.upgrade) return { framing: "none", field: "" };
  const length = call.more ? call.bodyBytes : call.body.length;
  if (length === undefined) return { framing: "chunked", field: "Transfer-Encoding: chunked\r\n" };
  const isSilent = length === 0 && call.bodyBytes === undefined && !expectsBody.has(call.request.method);
  return isSilent ? { framing: "none", field: "" } : { framing: "length", field: `Content-Length: ${length}\r\n` };
}

function connectionFields(call: ContractCall): string {
  if (!call.upgrade) return "Connection: keep-alive\r\n";
  const protocol = call.request.headers.find(([name]) => name.toLowerCase() === "upgrade")?.[1] ?? "websocket";
  return `${fieldLine("Connection", "Upgrade")}${fieldLine("Upgrade", protocol)}`;
}
