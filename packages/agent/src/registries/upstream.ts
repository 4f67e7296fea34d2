import { type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
import type { RegistryAccess } from "./settings.ts";

/** A request to a registry or to what it leads to; without a body. */
export interface UpstreamRequest {
  readonly method: "GET" | "HEAD";
  readonly headers: IncomingHttpHeaders;
  readonly signal: AbortSignal;
}

/** What is behind a registry's URL, its mirrors' and its storage's. */
export interface Upstream {
  /** Resolves with the answer's head, redirects followed; its body is the caller's to read or destroy. Rejects when there is no connection. */
  open(url: URL, request: UpstreamRequest): Promise<IncomingMessage>;
  close(): void;
}

/** A connection on which nothing comes for that long is broken. */
const idleMs = 60_000;
const maxRedirects = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Connections by what settings say of a registry: its authorities, and whether TLS may be left off. */
export function createUpstream({ ca, isPlain }: Pick<RegistryAccess, "ca" | "isPlain">): Upstream {
  const plain = new PlainAgent({ keepAlive: true, timeout: idleMs });
  const tls = new TlsAgent({ keepAlive: true, timeout: idleMs, ...(ca !== undefined && { ca: [...ca] }) });
  const send = (url: URL, { method, headers, signal }: UpstreamRequest) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const how = { method, headers: { ...headers, host: url.host }, signal, timeout: idleMs };
      const request = url.protocol === "http:" ? plainRequest(url, { ...how, agent: plain }) : tlsRequest(url, { ...how, agent: tls });
      request.on("timeout", () => request.destroy(new Error(`${url.host} has sent nothing for ${idleMs / 1000} s`)));
      request.on("response", resolve).on("error", reject).end();
    });

  return {
    async open(url, request) {
      let headers = request.headers;
      let at = url;
      for (let followed = 0; ; followed += 1) {
        const answer = await send(at, { ...request, headers });
        const { location } = answer.headers;
        if (location === undefined || !redirects.has(answer.statusCode ?? 0)) return answer;
        answer.destroy();
        const next = new URL(location, at);
        if (followed === maxRedirects) throw new Error(`${url.host} redirects more than ${maxRedirects} times`);
        if (next.protocol !== "https:" && !(next.protocol === "http:" && (isPlain || at.protocol === "http:"))) throw new Error(`${at.host} redirects to ${next.protocol}//${next.host}, which is not https`);
        if (next.origin !== at.origin) headers = withoutAuthorization(headers);
        at = next;
      }
    },
    close() {
      plain.destroy();
      tls.destroy();
    },
  };
}

/** Credentials are for the registry itself. */
export function withoutAuthorization(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { authorization: _, ...rest } = headers;
  return rest;
}
