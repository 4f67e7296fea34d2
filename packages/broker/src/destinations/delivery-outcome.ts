import { webhookUrlSchema } from "@longshore/protocol";
import type { PostAnswer } from "./send-request.ts";

/** What became of a delivery, with a sentence for people that names the host and never the path, which may hold a token. */
export type DeliveryOutcome =
  | { readonly outcome: "delivered"; readonly message: string; readonly status: number }
  /** It may have arrived all the same. */
  | { readonly outcome: "retry"; readonly message: string; readonly status?: number; readonly retryAfterMs?: number }
  /** It would not be otherwise another time. */
  | { readonly outcome: "refused"; readonly message: string; readonly status?: number };

/** What follows one request: an outcome, or another request elsewhere. */
export type Step = DeliveryOutcome | { readonly redirectTo: URL };

const redirects = new Set([301, 302, 307, 308]);
/** Not now: what is wrong lies with the receiver's state (RFC 9110; 425 RFC 8470; 429 RFC 6585). */
const passing = new Set([408, 425, 429]);

/** A receiver that must not or cannot be reached. */
export function refusedOutcome(url: URL, because: string, status?: number): DeliveryOutcome {
  return { outcome: "refused", message: sentence(url, because), ...(status !== undefined && { status }) };
}

/** No answer came. */
export function stepAfterFailure(url: URL, error: unknown): DeliveryOutcome {
  return { outcome: "retry", message: sentence(url, reasonOf(error)) };
}

/** What an answer means. A redirect keeps method and body: a webhook that became a GET would tell nothing. */
export function stepAfterAnswer(url: URL, { status, headers }: PostAnswer, now: Date): Step {
  if (status >= 200 && status < 300) return { outcome: "delivered", message: `Delivered to "${url.host}": it answered ${status}`, status };
  if (redirects.has(status) && headers.location !== undefined) return redirectStep(url, headers.location, status);
  if (status < 500 && !passing.has(status)) return refusedOutcome(url, `it answered ${status}`, status);
  const retryAfterMs = readRetryAfter(headers["retry-after"], now);
  return { outcome: "retry", message: sentence(url, `it answered ${status}`), status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** Where a redirect leads is held to the same rules as what users give, and never gives TLS up. */
function redirectStep(from: URL, location: string, status: number): Step {
  const to = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (to !== undefined) to.hash = "";
  const fault = webhookUrlSchema.safeParse(to?.href ?? location).error?.issues[0]?.message;
  if (to === undefined || fault !== undefined) return refusedOutcome(from, `the URL that it redirects to ${fault ?? "is none"}`, status);
  if (from.protocol === "https:" && to.protocol === "http:") return refusedOutcome(from, "it redirects from https to http", status);
  return { redirectTo: to };
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now; undefined for what is neither. */
export function readRetryAfter(text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - now.getTime());
}

const sentence = (url: URL, because: string) => `Cannot deliver to "${url.host}": ${because}`;

const reasonOfCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was closed without an answer",
  ENOTFOUND: "its name has no address",
  EAI_AGAIN: "its name cannot be looked up now",
  ETIMEDOUT: "it was not connected in time",
  EHOSTUNREACH: "there is no way to it",
  ENETUNREACH: "there is no way to it",
};

/** Several addresses fail together, each with an error of its own. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return reasonOfCode[(error as NodeJS.ErrnoException).code ?? ""] ?? error.message;
}
