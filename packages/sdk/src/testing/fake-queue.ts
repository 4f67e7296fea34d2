import type { InvocationResult } from "@longshore/protocol";
import { type Answerer, createFakeFetch, type SeenRequest } from "./fake-fetch.ts";

interface Accepted {
  readonly body: string;
  /** Submissions of it. */
  submissions: number;
  ended?: { readonly result: InvocationResult; readonly answer: string };
}

const succeeded: InvocationResult = { outcome: "succeeded" };

/** A broker that accepts invocations, whose ends a test decides. */
export class FakeQueue {
  readonly fetch: typeof fetch;
  readonly seen: SeenRequest[];
  /** By id, in the order in which they came. */
  readonly accepted = new Map<string, Accepted>();
  /** Looks for an end under way, and the most that there were. */
  looks = 0;
  mostLooks = 0;
  /** Says what becomes of an invocation as soon as it is accepted; undefined: nothing yet. */
  run: (body: string) => { readonly result?: InvocationResult; readonly answer?: string } | undefined = (body) => ({ answer: body });
  /** Answers in place of the broker. */
  intercept: (request: SeenRequest) => ReturnType<Answerer> | undefined = () => undefined;
  readonly #waiting = new Map<string, () => void>();

  constructor() {
    const { fetch, seen } = createFakeFetch((request) => this.intercept(request) ?? this.#answer(request));
    this.fetch = fetch;
    this.seen = seen;
  }

  /** Ends one by its body, or by its id. */
  end(which: string, { result = succeeded, answer = "" }: { readonly result?: InvocationResult; readonly answer?: string } = {}): void {
    for (const [id, accepted] of this.accepted) {
      if (id !== which && accepted.body !== which) continue;
      accepted.ended = { result, answer };
      this.#waiting.get(id)?.();
    }
  }

  #answer({ method, target, headers, body, signal }: SeenRequest): Response | Promise<Response> {
    const { pathname, searchParams } = new URL(target, "http://broker.test");
    if (method === "POST") return this.#accept(headers.get("longshore-invocation-id") ?? `key-${headers.get("idempotency-key")}`, body);
    const id = pathname.split("/")[3] ?? "";
    const accepted = this.accepted.get(id);
    if (accepted === undefined) return refused(404, "not_found", "invocation_not_found");
    if (pathname.endsWith("/result")) return new Response(accepted.ended?.answer);
    return this.#look(id, Number(searchParams.get("waitMs")), signal);
  }

  #accept(id: string, body: string): Response {
    const known = this.accepted.get(id);
    if (known !== undefined && known.body !== body) return refused(409, "already_exists", "invocation_exists");
    const accepted = known ?? { body, submissions: 0 };
    accepted.submissions += 1;
    this.accepted.set(id, accepted);
    const told = known === undefined ? this.run(body) : undefined;
    if (told !== undefined) accepted.ended = { result: told.result ?? succeeded, answer: told.answer ?? "" };
    return Response.json(this.#view(id), { status: 202 });
  }

  async #look(id: string, waitMs: number, signal: AbortSignal | undefined): Promise<Response> {
    this.looks += 1;
    this.mostLooks = Math.max(this.mostLooks, this.looks);
    if (this.accepted.get(id)?.ended === undefined && waitMs > 0) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, waitMs);
        const over = (settle: () => void) => () => {
          clearTimeout(timer);
          settle();
        };
        this.#waiting.set(id, over(resolve));
        signal?.addEventListener("abort", over(() => reject(signal.reason as Error)));
      }).finally(() => (this.looks -= 1));
    } else this.looks -= 1;
    return Response.json(this.#view(id));
  }

  #view(id: string): object {
    const { body = "", ended } = this.accepted.get(id) ?? {};
    if (ended === undefined) return { state: "waiting", invocationId: id, functionName: "f", acceptedAt: "", attempt: 1 };
    const record = { invocationId: id, functionName: "f", siteId: "plant", agentId: "a1", attempt: 1, result: ended.result, acceptedAt: "", finishedAt: "", timings: {}, payloadBytes: body.length, resultBytes: ended.answer.length, resultKept: true, resultHeaders: [["content-type", "text/plain"]] };
    return { state: "finished", record };
  }
}

/** A broker's refusal. */
export function refused(status: number, code: string, reason: string, more: Record<string, unknown> = {}): Response {
  return Response.json({ type: "x", title: "x", status, detail: reason, code, reason, phase: "admission", ...more }, { status, headers: { "content-type": "application/problem+json" } });
}
