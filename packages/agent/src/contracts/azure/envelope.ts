import { isUtf8 } from "node:buffer";
import { type HeaderList, isHopByHop, type Revision } from "@longshore/protocol";
import type { ContractCall } from "../contract.ts";
import { type Route, routeOf } from "./route.ts";

/** An invocation as the Functions host tells a handler of it: the function it is for, and the JSON of `Data` and `Metadata`. */
export interface Envelope {
  readonly functionName: string;
  readonly body: Buffer;
}

/** Names that Azure's server spells so, however the caller did; a handler may look for one spelling only. */
const spelled = new Map(["Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control", "Content-Type", "Cookie", "Host", "Origin", "Referer", "User-Agent"].map((name) => [name.toLowerCase(), name]));

/**
 * Puts a call into an envelope (Microsoft's "Azure Functions custom handlers", request payload): the HTTP request under `req`, or the
 * payload under the document's `azureTrigger`. `nowMs` is when it came.
 */
export function envelopeOf(call: ContractCall, body: Uint8Array, revision: Revision, nowMs: number): Envelope {
  const route = routeOf(call, revision);
  const { azureTrigger } = revision.spec;
  const data = azureTrigger === undefined ? { req: requestOf(call, route, body) } : { [azureTrigger]: payloadOf(call, body) };
  const sys = { MethodName: route.functionName, UtcNow: new Date(nowMs).toISOString(), RandGuid: call.invocationId };
  return { functionName: route.functionName, body: Buffer.from(JSON.stringify({ Data: data, Metadata: { sys } })) };
}

function requestOf(call: ContractCall, { target }: Route, body: Uint8Array): Record<string, unknown> {
  const headers = headersOf(call);
  const scheme = valueOf(call.request.headers, "x-forwarded-proto") ?? "http";
  const host = valueOf(call.request.headers, "host") ?? "localhost";
  return {
    Url: `${scheme}://${host}${target}`,
    Method: call.request.method,
    Query: JSON.stringify(queryOf(target)), // A string that holds JSON: so does the Functions host.
    Headers: headers,
    Params: {},
    ...(body.length > 0 && { Body: isBinary(call, body) ? base64Of(body) : textOf(body) }),
  };
}

/** A payload that is text is a JSON string inside the JSON string: so does the Functions host. */
function payloadOf(call: ContractCall, body: Uint8Array): string {
  return isBinary(call, body) ? base64Of(body) : JSON.stringify(textOf(body));
}

function headersOf({ request, addedHeaders }: ContractCall): Record<string, string[]> {
  const kept = request.headers.filter(([name]) => !isHopByHop(name.toLowerCase()) && !addedHeaders.some(([added]) => added === name.toLowerCase()));
  return gather([...kept, ...addedHeaders], (name) => spelled.get(name.toLowerCase()) ?? name);
}

function queryOf(target: string): Record<string, string> {
  const question = target.indexOf("?");
  const values = gather(question === -1 ? [] : [...new URLSearchParams(target.slice(question + 1))], (name) => name);
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, list.join(",")]));
}

/** Values by name. A map without a prototype: names are the caller's. */
function gather(pairs: HeaderList, nameOf: (name: string) => string): Record<string, string[]> {
  const lists = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of pairs) (lists[nameOf(name)] ??= []).push(value);
  return lists;
}

/** Binary by its type, or no text at all. */
function isBinary({ request }: ContractCall, body: Uint8Array): boolean {
  return /^(application\/octet-stream|multipart\/)/i.test(valueOf(request.headers, "content-type") ?? "") || !isUtf8(body);
}

const valueOf = (headers: HeaderList, name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1];
const base64Of = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");
