import { errorShape, LongshoreError } from "@longshore/protocol";
import type { ResolvedOptions } from "./options.ts";

/** What is sent to one of the HTTP interface's paths. */
export interface HttpRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly accept?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** An answer that is not whole by then is none; absent: it is waited for. */
  readonly withinMs?: number | undefined;
}

/** The broker's HTTP interface: what fails is a LongshoreError. */
export class HttpClient {
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  /** The answer's document; undefined where there is none. */
  async json(request: HttpRequest): Promise<unknown> {
    const text = new TextDecoder().decode(await this.bytes(request));
    return text === "" ? undefined : parseJson(text, request.path);
  }

  /** The answer's body, whole. */
  async bytes(request: HttpRequest): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.send(request);
    try {
      return new Uint8Array(await response.arrayBuffer());
    } catch (cause) {
      throw brokenOff(cause, request.signal);
    }
  }

  /** The answer as it comes, once its status says that it is one. */
  async send({ method, path, body, accept = "application/json", headers: given = {}, signal, withinMs }: HttpRequest): Promise<Response> {
    const headers: Record<string, string> = { ...given, accept, ...this.authorization() };
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await this.fetch(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }), ...(signal !== undefined && { signal }) }, withinMs);
    if (!response.ok) throw await errorOf(response);
    return response;
  }

  /** Lines of JSON as they come. */
  async *lines(request: HttpRequest): AsyncGenerator {
    const response = await this.send({ ...request, accept: "application/x-ndjson" });
    if (response.body === null) return;
    for await (const line of readLines(response.body, request.signal)) yield parseJson(line, request.path);
  }

  /** Rejects with `connection_lost`, also when `withinMs` have passed, or `caller_gone` when the signal aborted. */
  async fetch(path: string, init: RequestInit & { duplex?: "half" }, withinMs?: number): Promise<Response> {
    const { url } = this.#options;
    try {
      return await this.#options.fetch(`${url}${path}`, withinMs === undefined ? init : { ...init, signal: endingAfter(withinMs, init.signal) });
    } catch (cause) {
      if (init.signal?.aborted === true) throw gaveUp(cause);
      throw new LongshoreError("connection_lost", `Cannot reach a broker at ${url}`, { cause });
    }
  }

  authorization(): Record<string, string> {
    const { key } = this.#options;
    return key === undefined ? {} : { authorization: `Bearer ${key}` };
  }
}

/** With these a proxy says that it has no broker, or has lost it: whether that one began anything, it does not know. */
const proxyStatuses: readonly number[] = [502, 503, 504];

/** Whether an answer is a proxy's word about its broker, and no broker's. */
export function isOfProxy({ status, headers }: Response): boolean {
  return proxyStatuses.includes(status) && headers.get("content-type")?.startsWith("application/problem+json") !== true;
}

/** What a broker said when it refused, or what a proxy before it did: `proxy_failed`. */
export async function errorOf(response: Response): Promise<LongshoreError> {
  const text = await response.text().catch(() => "");
  try {
    return LongshoreError.fromShape(errorShape.parse(normalized(JSON.parse(text))));
  } catch {
    if (isOfProxy(response)) return new LongshoreError("proxy_failed", `Cannot reach a broker: what stands before it answered ${response.status}`, retryAfter(response));
    return new LongshoreError("unexpected", `The broker answered ${response.status}, and not in its own words: is this a broker?`);
  }
}

/** How long the answer asks to wait, where it says so in seconds. */
function retryAfter({ headers }: Response): { retryAfterMs?: number } {
  const text = headers.get("retry-after") ?? "";
  return /^\d{1,5}$/.test(text) ? { retryAfterMs: Number(text) * 1_000 } : {};
}

/** Why the reading of an answer broke off. */
export function brokenOff(cause: unknown, signal: AbortSignal | null | undefined): LongshoreError {
  if (signal?.aborted === true) return gaveUp(cause);
  return new LongshoreError("connection_lost", "Cannot go on reading what the broker sends: the connection broke", { cause });
}

function gaveUp(cause: unknown): LongshoreError {
  return new LongshoreError("caller_gone", "Gave up waiting for the broker", { cause });
}

/** Aborts with the signal, or after that time. */
function endingAfter(withinMs: number, signal: AbortSignal | null | undefined): AbortSignal {
  const silence = AbortSignal.timeout(Math.ceil(withinMs));
  return signal === undefined || signal === null ? silence : AbortSignal.any([signal, silence]);
}

/** A problem document has `detail` where an error has `message`. */
function normalized(document: unknown): unknown {
  const problem = document as { detail?: unknown; message?: unknown };
  return { ...problem, message: problem.message ?? problem.detail };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LongshoreError("bad_answer", `Cannot read what the broker answered at ${path}: it is not JSON`, { cause });
  }
}

async function* readLines(body: ReadableStream<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const lines = (rest + decoder.decode(value, { stream: !done })).split("\n");
      rest = done ? "" : (lines.pop() ?? "");
      for (const line of lines) if (line !== "") yield line;
      if (done) return;
    }
  } catch (cause) {
    throw brokenOff(cause, signal);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
