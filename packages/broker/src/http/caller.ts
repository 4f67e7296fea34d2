import { LongshoreError } from "@longshore/protocol";
import type { IncomingMessage } from "node:http";
import type { Authenticate, Caller } from "../socket/caller.ts";
import { isLoopbackAddress, isOwnHost, isOwnOrigin } from "../socket/origin.ts";

/** How a request's sender is told. */
export interface CallerRules {
  readonly authenticate: Authenticate;
  /** True where the broker listens on loopback only: the machine's own user needs no key. */
  readonly trustsLoopback: boolean;
  /** Origins whose pages may call without a key. */
  readonly allowedOrigins: readonly string[];
}

/** The same for the API, which shows the fleet to whoever asks: without a key only under a name of this machine. */
export async function identifyApiCaller(request: IncomingMessage, rules: CallerRules): Promise<Caller> {
  if (rules.trustsLoopback && bearerOf(request) === undefined && !isOwnHost(request.headers.host, rules.allowedOrigins)) {
    throw new LongshoreError("not_allowed", `Cannot take a request for ${JSON.stringify(String(request.headers.host).slice(0, 128))}: send an API key, or use a name of this machine`, { phase: "admission" });
  }
  return identifyCaller(request, rules);
}

/** Tells who sent a request, or throws `key_missing`, `token_invalid` or, for a page of another site, `not_allowed`. */
export async function identifyCaller(request: IncomingMessage, rules: CallerRules): Promise<Caller> {
  const bearer = bearerOf(request);
  const loopback = rules.trustsLoopback && isLoopbackAddress(request.socket.remoteAddress);
  if (bearer === undefined && loopback && !isOwnPage(request, rules.allowedOrigins)) {
    throw new LongshoreError("not_allowed", `Cannot take a call from a page of ${(request.headers.origin ?? "another site").slice(0, 128)}: send an API key, or allow the origin`, { phase: "admission" });
  }
  return rules.authenticate(bearer, { loopback });
}

/** A browser that leaves the origin out of a request tells in `Sec-Fetch-Site` what it knows of it (the W3C's Fetch Metadata). */
function isOwnPage({ method, headers }: IncomingMessage, allowedOrigins: readonly string[]): boolean {
  const changes = method !== "GET" && method !== "HEAD";
  if (changes && headers.origin === undefined && ["cross-site", "same-site"].includes(String(headers["sec-fetch-site"]))) return false;
  return isOwnOrigin(headers.origin, headers.host, allowedOrigins);
}

/** Our own keys are told from a function's by their beginning, so that a function may have bearer tokens of its own. */
const keyPattern = /^Bearer\s+(lsk_\S+)$/i;

/** The API key of a request, if it has one. */
export function bearerOf(request: IncomingMessage): string | undefined {
  return keyPattern.exec(request.headers.authorization ?? "")?.[1];
}

/** Tells a header value that holds one of our keys: it must not travel on to a function. */
export function isApiKey(value: string): boolean {
  return keyPattern.test(value);
}
