import { headers as ours } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { productVersion } from "../version.ts";
import type { AllowList } from "./allow-list.ts";
import { checkTarget, type Resolve } from "./check-target.ts";
import { type DeliveryOutcome, refusedOutcome, type Step, stepAfterAnswer, stepAfterFailure } from "./delivery-outcome.ts";
import type { Post, SendPost } from "./send-request.ts";
import { signWebhook } from "./webhook-signature.ts";

/** One delivery of a webhook. */
export interface WebhookDelivery {
  /** As `webhookUrlSchema` takes it. */
  readonly url: string;
  readonly body: Uint8Array;
  /** Receivers know by it that they have had it: the same for every attempt, and without a full stop. */
  readonly id: string;
  readonly invocationId: string;
  /** From 1. */
  readonly attempt: number;
  /** Where it stands in a trace; absent: in none. */
  readonly traceparent?: string | undefined;
  /** `whsec_…`, the one that counts first. */
  readonly secrets: readonly string[];
  /** Ends it: the outcome is `retry`. */
  readonly signal?: AbortSignal;
}

export interface WebhookLimits {
  /** For a connection to stand. */
  readonly connectMs: number;
  /** For all of it, redirects and names included. */
  readonly wholeMs: number;
  readonly answerBytes: number;
  readonly redirects: number;
}
export const webhookLimits: WebhookLimits = { connectMs: 5_000, wholeMs: 15_000, answerBytes: 16 * 1024, redirects: 3 };

export interface WebhookContext {
  readonly clock: Clock;
  readonly allow: AllowList;
  readonly resolve: Resolve;
  readonly send: SendPost;
  readonly limits?: WebhookLimits;
}

/**
 * Delivers a webhook once: an HTTP POST, signed by Standard Webhooks 1.0. Never rejects but for a secret that is none. Invariants: W1 nothing
 * is connected to but addresses that were checked for this very request, at each redirect anew. W2 it ends within `wholeMs`.
 */
export async function deliverWebhook(delivery: WebhookDelivery, context: WebhookContext): Promise<DeliveryOutcome> {
  const { clock, limits = webhookLimits } = context;
  const headers = headersOf(delivery, clock.date());
  const ending = new AbortController();
  const end = (because: string) => () => ending.abort(new Error(because));
  const cancelLimit = clock.after(limits.wholeMs, end("it took too long")); // W2
  const cut = end("it was cut off");
  delivery.signal?.addEventListener("abort", cut);
  if (delivery.signal?.aborted === true) cut();
  try {
    const post = { headers, body: delivery.body, connectMs: limits.connectMs, answerBytes: limits.answerBytes, signal: ending.signal };
    return await follow(new URL(delivery.url), limits.redirects, (url) => sendChecked(url, post, context));
  } finally {
    cancelLimit();
    delivery.signal?.removeEventListener("abort", cut);
  }
}

function headersOf({ id, body, secrets, invocationId, attempt, traceparent }: WebhookDelivery, sentAt: Date): Record<string, string> {
  const timestampSeconds = Math.floor(sentAt.getTime() / 1000);
  return {
    "content-type": "application/json",
    "user-agent": `Longshore/${productVersion}`,
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signWebhook({ id, timestampSeconds, body }, secrets),
    [ours.invocationId]: invocationId,
    [ours.deliveryAttempt]: String(attempt),
    ...(traceparent !== undefined && { [ours.traceparent]: traceparent }),
  };
}

/** Goes where it is sent, that often. */
async function follow(start: URL, redirects: number, send: (url: URL) => Promise<Step>): Promise<DeliveryOutcome> {
  let url = start;
  for (let count = 0; count <= redirects; count += 1) {
    const step = await send(url);
    if (!("redirectTo" in step)) return step;
    url = step.redirectTo;
  }
  return refusedOutcome(start, `it redirects more than ${redirects} times`);
}

/** Checks where a URL leads, and sends it there and nowhere else. */
async function sendChecked(url: URL, post: Omit<Post, "url" | "addresses">, { allow, resolve, send, clock }: WebhookContext): Promise<Step> {
  try {
    const target = await unlessAborted(checkTarget(url, resolve, allow), post.signal); // W1
    if ("refusedBecause" in target) return refusedOutcome(url, target.refusedBecause);
    return stepAfterAnswer(url, await send({ ...post, url, addresses: target.addresses }), clock.date());
  } catch (error) {
    return stepAfterFailure(url, post.signal.aborted ? post.signal.reason : error);
  }
}

/** A name that is being looked up cannot be told to stop; nobody waits for it. */
async function unlessAborted<T>(waited: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([waited, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
