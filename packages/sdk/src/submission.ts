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
  readonly call: Omit<OutgoingCall, "body"> & { readonly body: Uint8Array | Blob };
  /** When it may begin, and for how long after that. */
  readonly terms: { readonly notBefore?: string; readonly delayMs?: number; readonly maxAgeMs?: number };
}

/** Submits once; resolves with how it stands once it is accepted. */
export type SubmitOnce = (submission: Submission) => Promise<InvocationView>;

/** A broker that has not answered by then is not there any more … */
export const silenceMs = 10_000;
/** … once it has the body, which no connection is expected to carry more slowly. */
const slowestBytesPerMs = 64;

/** Makes a submission. A body that comes as a stream is read whole, to be sent again; a Blob is only read as it is sent. Throws `bad_schema`, naming the field. */
export async function submissionOf(functionName: string, body: InvokeBody, options: EnqueueOptions): Promise<Submission> {
  const { where, timeoutMs, invocationId, idempotencyKey, signal } = options;
  const terms = termsOf(functionName, options);
  const [bytes, headers] = encodeBody(functionName, body, options.headers);
  const isBlob = bytes instanceof Blob;
  const call = outgoingCall(functionName, isBlob ? undefined : bytes, { where, timeoutMs, invocationId, idempotencyKey, headers, signal });
  return { call: { ...call, body: isBlob ? bytes : await readWhole(functionName, call.body) }, terms };
}

function termsOf(functionName: string, { notBefore, delayMs, maxAgeMs }: EnqueueOptions): Submission["terms"] {
  if (notBefore !== undefined && Number.isNaN(notBefore.getTime())) throw new LongshoreError("bad_schema", `Cannot enqueue for "${functionName}": notBefore is no time`, { field: "notBefore" });
  return { ...(notBefore !== undefined && { notBefore: notBefore.toISOString() }), ...(delayMs !== undefined && { delayMs }), ...(maxAgeMs !== undefined && { maxAgeMs }) };
}

async function readWhole(functionName: string, body: Uint8Array | ReadableStream<Uint8Array>): Promise<Uint8Array | Blob> {
  if (body instanceof Uint8Array) return body;
  try {
    return await new Response(body).blob();
  } catch (error) {
    throw LongshoreError.from(error, `Cannot enqueue for "${functionName}"`);
  }
}

const byteLengthOf = (body: Uint8Array | Blob) => (body instanceof Blob ? body.size : body.length);

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
    const response = await http.fetch(target, requestOf(call, http.authorization()), silenceMs + byteLengthOf(call.body) / slowestBytesPerMs);
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
