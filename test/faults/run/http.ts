import { Agent, request } from "node:http";

/** What a broker answered. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface HttpQuestion {
  readonly method: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** After that time its caller leaves. */
  readonly patienceMs: number;
  readonly signal?: AbortSignal;
}

const connections = new Agent({ keepAlive: false });

/** Asks once. Rejects when the connection breaks, or nothing came in time. */
export function ask({ method, url, headers = {}, body = "", patienceMs, signal }: HttpQuestion): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const over = AbortSignal.any([AbortSignal.timeout(patienceMs), ...(signal === undefined ? [] : [signal])]);
  const call = request(url, { method, headers: { ...headers, "content-length": Buffer.byteLength(body) }, agent: connections, signal: over }, (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (part: string) => (text += part));
    response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    response.on("error", reject);
    response.on("aborted", () => reject(new Error("The answer broke off")));
  });
  call.on("error", reject);
  call.end(body);
  return promise;
}

/** The document of an answer; empty where it is none. */
export function documentOf({ text }: HttpAnswer): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
}
