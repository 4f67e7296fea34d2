import { createInvocationId, type FunctionName, functionNameSchema, headers as ours, type InvocationId, invocationIdSchema, isHopByHop, isReserved, LongshoreError, parseName, parseWhere, type RequestHead, requestHeadSchema, type TenantId, type Where } from "@longshore/protocol";
import type { IncomingMessage } from "node:http";
import { isApiKey } from "./caller.ts";
import { idOfKey, readKey } from "../queue/idempotency-key.ts";
import type { HttpLimits } from "./limits.ts";
import type { Destination } from "./router.ts";

/** An HTTP request as an invocation, all but its body. */
export interface InvocationHead {
  readonly invocationId: InvocationId;
  /** Calls with the same key are one: it is accepted like async work, and each caller waits for its end. */
  readonly idempotencyKey: string | undefined;
  readonly tenantId: TenantId;
  readonly functionName: FunctionName;
  readonly where: Where;
  readonly timeoutMs: number | undefined;
  readonly request: RequestHead;
  readonly viaUrl: boolean;
}

/** Checks everything of a request that names something, before any of it is used; throws naming the header or field. */
export function readInvocationHead(incoming: IncomingMessage, { functionName, target, viaUrl }: Destination, tenantId: TenantId, limits: HttpLimits): InvocationHead {
  const { headers, method } = incoming;
  const name = parseName(functionNameSchema, functionName, "function");
  const idempotencyKey = readKeyHeader(incoming);
  const request = { method: method ?? "POST", target, headers: passedOn(incoming, limits) };
  const checked = requestHeadSchema.omit({ headers: true }).safeParse(request);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    throw new LongshoreError("bad_schema", `Cannot take request: ${String(issue?.path[0])} ${issue?.message ?? "is invalid"}`, { phase: "admission", field: String(issue?.path[0]) });
  }
  const where = single(headers[ours.where], ours.where);
  return {
    invocationId: readId(incoming, tenantId, name, idempotencyKey),
    idempotencyKey,
    tenantId,
    functionName: name,
    where: where === undefined ? {} : parseWhere(where, "Longshore-Where"),
    timeoutMs: readDeadline(single(headers[ours.deadlineMs], ours.deadlineMs)),
    request,
    viaUrl,
  };
}

/** The id that a call has: the caller's own, the one its key stands for, or a fresh one. */
function readId(incoming: IncomingMessage, tenantId: TenantId, functionName: FunctionName, key: string | undefined): InvocationId {
  const id = single(incoming.headers[ours.invocationId], ours.invocationId);
  if (key === undefined) return id === undefined ? createInvocationId() : parseName(invocationIdSchema, id, "Longshore-Invocation-Id");
  if (id !== undefined) throw new LongshoreError("bad_header", "Cannot take Idempotency-Key and Longshore-Invocation-Id together: the key decides the id", { phase: "admission", field: "Idempotency-Key" });
  return idOfKey(tenantId, functionName, key);
}

/** The request's Idempotency-Key; throws `bad_header`. */
export function readKeyHeader({ headers }: IncomingMessage): string | undefined {
  return readKey(single(headers[ours.idempotencyKey], ours.idempotencyKey), "Idempotency-Key");
}

function single(value: string | string[] | undefined, name: string): string | undefined {
  if (Array.isArray(value)) throw new LongshoreError("bad_header", `Cannot read ${name}: it came more than once`, { phase: "admission", field: name });
  return value;
}

function readDeadline(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,7}$/.test(text) && Number(text) >= 1 && Number(text) <= 3_600_000) return Number(text);
  throw new LongshoreError("bad_header", "Cannot read Longshore-Deadline-Ms: expected whole milliseconds from 1 to 3600000", { phase: "admission", field: "Longshore-Deadline-Ms" });
}

/** The headers that travel on: order, case and repetition as they came; without the connection's own, ours, and our keys. */
function passedOn(incoming: IncomingMessage, limits: HttpLimits): [string, string][] {
  const raw = incoming.rawHeaders;
  if (raw.length / 2 > limits.headerCount) throw new LongshoreError("headers_too_large", `Cannot take ${raw.length / 2} header fields: at most ${limits.headerCount}`, { phase: "admission" });
  const nominated = new Set((incoming.headers.connection ?? "").toLowerCase().split(",").map((name) => name.trim()));
  const kept: [string, string][] = [];
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    const lower = name.toLowerCase();
    if (lower === "upgrade" ? incoming.headers.upgrade !== undefined : !isDropped(lower, value, nominated)) kept.push([name, value]);
  }
  return forwarded(kept, incoming);
}

const framing = new Set(["content-length", "expect", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"]);

function isDropped(lower: string, value: string, nominated: ReadonlySet<string>): boolean {
  return isHopByHop(lower) || isReserved(lower) || framing.has(lower) || (nominated.has(lower) && lower !== "host") || (lower === "authorization" && isApiKey(value));
}

/** Says who called, as proxies do: the chain before us first. */
function forwarded(kept: [string, string][], incoming: IncomingMessage): [string, string][] {
  const before = incoming.headers["x-forwarded-for"];
  const address = incoming.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "unknown";
  kept.push(["X-Forwarded-For", before === undefined ? address : `${String(before)}, ${address}`]);
  kept.push(["X-Forwarded-Proto", single(incoming.headers["x-forwarded-proto"], "X-Forwarded-Proto") ?? ("encrypted" in incoming.socket ? "https" : "http")]);
  const host = incoming.headers["x-forwarded-host"] ?? incoming.headers.host;
  if (host !== undefined) kept.push(["X-Forwarded-Host", String(host)]);
  return kept;
}
