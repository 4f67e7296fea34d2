/** A request as a fake broker sees it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Headers;
  readonly body: string;
  readonly signal: AbortSignal | undefined;
}

/** Answers a request; what it throws is a failed connection. */
export type Answerer = (request: SeenRequest) => Response | Promise<Response>;

/** A `fetch` whose other end a test plays. `seen` has every request. */
export function createFakeFetch(answer: Answerer): { readonly fetch: typeof fetch; readonly seen: SeenRequest[] } {
  const seen: SeenRequest[] = [];
  const fake = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    init.signal?.throwIfAborted();
    const url = new URL(input as string);
    const body = init.body === undefined || init.body === null ? "" : await new Response(init.body).text();
    const request = { method: init.method ?? "GET", target: `${url.pathname}${url.search}`, headers: new Headers(init.headers), body, signal: init.signal ?? undefined };
    seen.push(request);
    return answer(request);
  };
  return { fetch: fake, seen };
}

/** A body that a test goes on writing. */
export function openBody(): { readonly stream: ReadableStream<Uint8Array>; write(text: string): void; end(): void; break(): void; readonly cancelled: Promise<unknown> } {
  const cancelled = Promise.withResolvers<unknown>();
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    cancel: (reason) => cancelled.resolve(reason),
  });
  return {
    stream,
    write: (text) => controller.enqueue(new TextEncoder().encode(text)),
    end: () => controller.close(),
    break: () => controller.error(new TypeError("terminated")),
    cancelled: cancelled.promise,
  };
}
