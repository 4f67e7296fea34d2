import type { InvocationRecord } from "@longshore/protocol";
import type { HttpClient } from "./http-client.ts";
import { lookAt } from "./look.ts";
import { persist } from "./persist.ts";

/** So many are looked at at once, of however many that are waited for: a browser has six connections to a host. */
const mostLooks = 4;
/** Within about that time each of them is looked at. */
const roundMs = 400;
const shortestLookMs = 15;
const longestLookMs = 1_000;

/** How long a look at one of so many may wait for its end, so that the others have their turn. */
export function lookLengthMs(waiting: number): number {
  return Math.min(longestLookMs, Math.max(shortestLookMs, (roundMs * mostLooks) / waiting));
}

interface Waiting {
  readonly invocationId: string;
  readonly settle: PromiseWithResolvers<InvocationRecord>;
}

/** The ends of many accepted invocations, over a few connections: they are looked at in turns, the one that has waited longest first. */
export class ManyEndings {
  readonly #http: HttpClient;
  readonly #signal: AbortSignal;
  readonly #waiting: Waiting[] = [];
  #looks = 0;

  constructor(http: HttpClient, signal: AbortSignal) {
    this.#http = http;
    this.#signal = signal;
  }

  /** Waits for one, over broken connections; rejects when the signal aborts. */
  wait(invocationId: string): Promise<InvocationRecord> {
    const settle = Promise.withResolvers<InvocationRecord>();
    this.#waiting.push({ invocationId, settle });
    this.#pump();
    return settle.promise;
  }

  #pump(): void {
    for (; this.#looks < mostLooks; this.#looks += 1) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      void this.#look(next).finally(() => {
        this.#looks -= 1;
        this.#pump();
      });
    }
  }

  async #look(one: Waiting): Promise<void> {
    const waitMs = lookLengthMs(this.#waiting.length + this.#looks + 1);
    try {
      const view = await persist(() => lookAt(this.#http, one.invocationId, { waitMs, signal: this.#signal }), { withinMs: () => Infinity, signal: this.#signal });
      if (view.state === "finished") one.settle.resolve(view.record);
      else this.#waiting.push(one);
    } catch (error) {
      one.settle.reject(error);
    }
  }
}
