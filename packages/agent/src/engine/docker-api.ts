import type { Duplex, Readable } from "node:stream";
import { engineError } from "./failure.ts";

/** What dockerode's client does underneath its methods: one HTTP request to the engine, over whatever DOCKER_HOST names. */
export interface Modem {
  dial(options: DialOptions, callback: (error: unknown, answer: unknown) => void): void;
}

interface DialOptions {
  path: string;
  method: string;
  options: { _query: object; _body: object };
  statusCodes: Record<number, true>;
  abortSignal: AbortSignal;
  isStream?: boolean;
  hijack?: boolean;
  file?: Buffer;
  headers?: Record<string, string>;
  authconfig?: object;
}

/** A request of the engine API. */
export interface DockerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  readonly body?: object;
  /** Registry credentials, for pulls. */
  readonly authConfig?: object | undefined;
}

/**
 * The engine API. dockerode's own methods are passed by: they repeat a request's body in its URL (a function's environment would
 * not fit) and in the stream of an attachment, and their promises never settle when the engine dies in the midst of an answer.
 * `action` begins the message of a failure: `Cannot start container`.
 */
export interface DockerApi {
  /** Resolves with the whole answer. Fails as `unreachable` when there is none within the limit, whatever the engine is doing. */
  call<Answer>(action: string, request: DockerRequest, limitMs?: number): Promise<Answer>;
  /** Resolves with an answer that goes on for as long as the engine likes; the signal ends it. */
  stream(action: string, request: DockerRequest, signal: AbortSignal): Promise<Readable>;
  /** Takes the connection over: after the head it belongs to whoever asked. */
  hijack(action: string, request: DockerRequest): Promise<Duplex>;
}

/** The API's path of one container, or of a resource of it. */
export function containerPath(id: string, resource?: string): string {
  return `/containers/${encodeURIComponent(id)}${resource === undefined ? "" : `/${resource}`}`;
}

/** Time limits of calls: of those that only read, and of those that make the engine work. */
export const callLimits = { describeMs: 5_000, readMs: 10_000, workMs: 120_000 } as const;

const accepted = { 200: true, 201: true, 204: true } as const;

/** The engine API over a client's connection. */
export function createDockerApi(modem: Modem): DockerApi {
  const dial = <Answer>(request: DockerRequest, abortSignal: AbortSignal, how: Partial<DialOptions>) =>
    new Promise<Answer>((resolve, reject) => {
      modem.dial({ ...dialOptions(request, abortSignal), ...how }, (error, answer) => (error instanceof Error ? reject(error) : resolve(answer as Answer)));
    });

  return {
    call: (action, request, limitMs = callLimits.readMs) => within(action, limitMs, (signal) => dial(request, signal, {})),
    hijack: (action, request) =>
      // An empty file is the client's only way to send a request without any body, of which the engine might make input.
      within(action, callLimits.readMs, (signal) => dial(request, signal, { isStream: true, hijack: true, file: Buffer.alloc(0), headers: { "Content-Type": "text/plain" } })),
    async stream(action, request, signal) {
      const answer = await within(action, callLimits.workMs, (limit) => dial<Readable>(request, AbortSignal.any([signal, limit]), { isStream: true }));
      signal.addEventListener("abort", () => answer.destroy(), { once: true });
      if (signal.aborted) answer.destroy();
      return answer;
    },
  };
}

function dialOptions({ method, path, query = {}, body = {}, authConfig }: DockerRequest, abortSignal: AbortSignal): DialOptions {
  return { method, path: `${path}?`, options: { _query: query, _body: body }, statusCodes: accepted, abortSignal, ...(authConfig && { authconfig: authConfig }) };
}

/** Runs an engine call within its limit; the promise settles by then even when the client's does not. */
async function within<Answer>(action: string, limitMs: number, run: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  const abort = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Error(`no answer from the engine within ${limitMs} ms`));
    abort.abort();
  }, limitMs);
  try {
    return await Promise.race([run(abort.signal), late.promise]);
  } catch (error) {
    throw engineError(action, error);
  } finally {
    clearTimeout(timer);
  }
}
