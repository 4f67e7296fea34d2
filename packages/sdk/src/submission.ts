import { type InvocationView, invocationViewSchema, LongshoreError } from "@longshore/protocol";
import type { CallOptions, OutgoingCall } from "./call.ts";
import { ofInvocation } from "./error.ts";
import { errorOf, type HttpClient } from "./http-client.ts";
import { requestOf, targetOf } from "./http-request.ts";
import { encodeBody, type InvokeBody } from "./invoke.ts";
import { abandoned, outgoingCall } from "./outgoing.ts";
import { type Patience, persist } from "./persist.ts";
import { readDocument } from "./read-document.ts";

/** How an invocation is accepted. */
export interface EnqueueOptions extends Pick<CallOptions, "where" | "invocationId" | "headers"> {
  /** How long an attempt may take, at most the function's own limit. */
  readonly timeoutMs?: number | undefined;
  /** It is not begun before that, at most 30 days from now … */
  readonly notBefore?: Date | undefined;
  /** … or not before so many milliseconds from now. */
  readonly delayMs?: number | undefined;
  /** It is `expired` where no attempt has begun it so long after it might. Default six hours. */
  readonly maxAgeMs?: number | undefined;
  /** Of 1 to 255 visible ASCII characters, in place of an id: what is submitted for a function under one key is accepted once. */
  readonly idempotencyKey?: string | undefined;
  /** Gives up submitting; what was accepted goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** What is sent to have an invocation accepted, as often as it takes. */
export interface Submission {
  readonly call: OutgoingCall & { readonly body: Uint8Array };
  /** When it may begin, and for how long after that. */
  readonly terms: { readonly notBefore?: string; readonly delayMs?: number; readonly maxAgeMs?: number };
}

/** Submits once; resolves with how it stands once it is accepted. */
export type SubmitOnce = (submission: Submission) => Promise<InvocationView>;

/** No longer body is accepted. */
const mostBytes = 256 * 1024;
/** A broker that has not answered by then is not there any more. */
export const silenceMs = 10_000;

/** Makes a submission; a body that comes as a stream is read whole. Throws `bad_schema` or `payload_too_large`, naming the field. */
export async function submissionOf(functionName: string, body: InvokeBody, options: EnqueueOptions): Promise<Submission> {
  const { where, timeoutMs, invocationId, idempotencyKey, signal } = options;
  const terms = termsOf(functionName, options);
  const [bytes, headers] = encodeBody(functionName, body, options.headers);
  const call = outgoingCall(functionName, bytes, { where, timeoutMs, invocationId, idempotencyKey, headers, signal });
  return { call: { ...call, body: await readWhole(functionName, call.body) }, terms };
}

function termsOf(functionName: string, { notBefore, delayMs, maxAgeMs }: EnqueueOptions): Submission["terms"] {
  if (notBefore !== undefined && Number.isNaN(notBefore.getTime())) throw new LongshoreError("bad_schema", `Cannot enqueue for "${functionName}": notBefore is no time`, { field: "notBefore" });
  return { ...(notBefore !== undefined && { notBefore: notBefore.toISOString() }), ...(delayMs !== undefined && { delayMs }), ...(maxAgeMs !== undefined && { maxAgeMs }) };
}

async function readWhole(functionName: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return checkLength(functionName, body);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const reader = body.getReader();
  let length = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      parts.push(next.value as Uint8Array<ArrayBuffer>);
      length += next.value.length;
      if (length > mostBytes) throw tooLarge(functionName);
    }
    return new Uint8Array(await new Blob(parts).arrayBuffer());
  } catch (error) {
    reader.cancel(error).catch(() => undefined);
    throw LongshoreError.from(error, `Cannot enqueue for "${functionName}"`);
  }
}

function checkLength(functionName: string, body: Uint8Array): Uint8Array {
  if (body.length > mostBytes) throw tooLarge(functionName);
  return body;
}

function tooLarge(functionName: string): LongshoreError {
  return new LongshoreError("payload_too_large", `Cannot enqueue for "${functionName}": its body has more than ${mostBytes} bytes`, { phase: "admission", field: "body" });
}

/**
 * Resolves once it is accepted: now, or earlier under its id or key. Where nobody can tell, or the broker cannot take it now, it is
 * submitted again, under the same id, for as long as the patience lasts.
 */
export async function submit(once: SubmitOnce, submission: Submission, patience: Patience): Promise<InvocationView> {
  const { functionName, invocationId, idempotencyKey, signal } = submission.call;
  try {
    return await persist(() => once(submission), patience);
  } catch (error) {
    const told = signal?.aborted === true ? abandoned(functionName, signal) : LongshoreError.from(error, `Cannot enqueue for "${functionName}"`);
    throw idempotencyKey === undefined ? ofInvocation(told, invocationId) : told;
  }
}

/** Submits over HTTP. */
export function submitOverHttp(http: HttpClient): SubmitOnce {
  return async ({ call, terms }) => {
    const query = Object.entries({ mode: "async", ...terms }).map(([name, value]): [string, string] => [name, String(value)]);
    const target = `${targetOf(call)}?${new URLSearchParams(query).toString()}`;
    const response = await http.fetch(target, requestOf(call, http.authorization()), silenceMs);
    if (!response.ok) throw await errorOf(response);
    return readDocument(invocationViewSchema, await readJson(response), target);
  };
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new LongshoreError("connection_lost", "Cannot read whether the invocation was accepted: the connection broke", { cause });
  }
}

/** The id under which it stands. */
export const idOfView = (view: InvocationView): string => (view.state === "finished" ? view.record.invocationId : view.invocationId);
