import { type InvocationRecord, type InvocationView, invocationViewSchema } from "@longshore/protocol";
import type { HttpClient } from "./http-client.ts";
import { persist } from "./persist.ts";
import { readDocument } from "./read-document.ts";
import { pause } from "./timer.ts";

/** How an invocation is looked at again and again. */
export interface LookOptions {
  /** A look waits that long for its end; at most a minute. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  /** That it is there is known: a broker that cannot be reached does not end the looking, however early. */
  readonly isKnown?: boolean;
}

/** A broker that says nothing for that long beyond the time that it was asked to wait is not there any more. */
const silenceMs = 10_000;
/** Proxies cut what is silent for a minute. */
const longWaitMs = 30_000;
const changeWaitMs = 1_000;

/** Where an invocation is to be found. */
export const invocationPath = (invocationId: string) => `/v1/invocations/${encodeURIComponent(invocationId)}`;

/**
 * An invocation's state, or what became of it, after at most `waitMs` for its end. A broker may answer at once that it goes on (one that drains,
 * or of a call that was not accepted): what is left of that time, up to a second, is waited for here, so that nobody asks in circles.
 */
export async function lookAt(http: HttpClient, invocationId: string, { waitMs, signal }: LookOptions): Promise<InvocationView> {
  const path = invocationPath(invocationId);
  const sinceMs = performance.now();
  const target = waitMs === 0 ? path : `${path}?waitMs=${Math.round(waitMs)}`;
  const view = readDocument(invocationViewSchema, await http.json({ method: "GET", path: target, signal, withinMs: waitMs + silenceMs }), path);
  const leftMs = Math.min(waitMs, changeWaitMs) - (performance.now() - sinceMs);
  if (view.state !== "finished" && leftMs > 0) await pause(leftMs, signal);
  return view;
}

/** Waits for the terminal record, over broken connections. */
export async function whenEnded(http: HttpClient, invocationId: string, options: Omit<LookOptions, "waitMs">): Promise<InvocationRecord> {
  for (let isKnown = options.isKnown ?? false; ; isKnown = true) {
    const view = await persist(() => lookAt(http, invocationId, { waitMs: longWaitMs, signal: options.signal }), patienceOf(isKnown, options));
    if (view.state === "finished") return view.record;
  }
}

/** The view as it is, and whenever it has changed, looked at every second; the last one is finished. */
export async function* eachChange(http: HttpClient, invocationId: string, options: Omit<LookOptions, "waitMs">): AsyncGenerator<InvocationView, void> {
  let [isKnown, waitMs, before] = [options.isKnown ?? false, 0, ""];
  for (;;) {
    const view = await persist(() => lookAt(http, invocationId, { waitMs, signal: options.signal }), patienceOf(isKnown, options));
    [isKnown, waitMs] = [true, changeWaitMs];
    const now = JSON.stringify(view);
    if (now !== before) yield view;
    if (view.state === "finished") return;
    before = now;
  }
}

const patienceOf = (isKnown: boolean, { signal }: Pick<LookOptions, "signal">) => ({ withinMs: () => (isKnown ? Infinity : 0), signal });
