import { Agent, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp, type RequestOptions } from "node:http";
import { Agent as TlsAgent, request as requestHttps } from "node:https";
import { isIP, type LookupFunction, type TcpNetConnectOpts } from "node:net";
import type { Clock } from "../clock.ts";

/** One HTTP POST. */
export interface Post {
  readonly url: URL;
  /** Connected to in this order, and to nothing else. */
  readonly addresses: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** For a connection to stand, TLS and all. */
  readonly connectMs: number;
  /** No more than that is read of an answer's body, which is thrown away. */
  readonly answerBytes: number;
  /** Ends it, whatever it is at. */
  readonly signal: AbortSignal;
}

/** An answer's head. */
export interface PostAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Sends it and resolves with the answer's head, also when the signal ends it behind that; rejects with a network's error, or one whose message is a sentence's end. */
export type SendPost = (post: Post) => Promise<PostAnswer>;

/** How long one of several addresses may take before the next one is tried beside it. */
const nextAddressMs = 1_000;

/**
 * Sends over a connection of its own: one that an earlier delivery left open could lead to an address that is not allowed any more. Invariants: P1 the
 * addresses are those that were checked; the name is not resolved again. P2 nothing is left open when the promise is settled.
 */
export function createSender(clock: Pick<Clock, "after">): SendPost {
  return (post) =>
    new Promise((resolve, reject) => {
      let head: PostAnswer | undefined;
      const request = open(post);
      const cancelLimit = clock.after(post.connectMs, () => request.destroy(new Error("it was not connected in time")));
      const settle = (error?: Error) => {
        cancelLimit();
        request.destroy(); // P2
        if (head !== undefined) resolve(head);
        else reject(error ?? new Error("the connection was closed without an answer"));
      };
      request.on("socket", (socket) => socket.once(post.url.protocol === "https:" ? "secureConnect" : "connect", cancelLimit));
      request.on("response", (response) => {
        head = { status: response.statusCode ?? 0, headers: response.headers };
        drain(response, post.answerBytes, settle);
      });
      request.on("error", settle);
      request.on("close", () => settle());
      request.end(post.body);
    });
}

function open({ url, addresses, headers, body, signal }: Post): ClientRequest {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const options: RequestOptions & Pick<TcpNetConnectOpts, "autoSelectFamilyAttemptTimeout"> = {
    method: "POST",
    protocol: url.protocol,
    host,
    port: url.port === "" ? undefined : url.port,
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, "content-length": body.length },
    lookup: pinned(addresses), // P1
    autoSelectFamilyAttemptTimeout: nextAddressMs,
    signal,
  };
  if (url.protocol === "http:") return requestHttp({ ...options, agent: new Agent({ keepAlive: false }) });
  return requestHttps({ ...options, ...(isIP(host) === 0 && { servername: host.replace(/\.$/, "") }), agent: new TlsAgent({ keepAlive: false, maxCachedSessions: 0 }) });
}

/** What a socket asks for a name's addresses: answered with those that are known already. */
function pinned(addresses: readonly string[]): LookupFunction {
  const known = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    const [first] = known;
    if (options.all === true) callback(null, known);
    else callback(null, first?.address ?? "", first?.family);
  };
}

/** Reads an answer's body to its end, or that far; the head has decided everything, so a body that breaks is the end of it as well. */
function drain(response: IncomingMessage, maxBytes: number, done: () => void): void {
  let byteLength = 0;
  response.on("data", (bytes: Buffer) => {
    byteLength += bytes.length;
    if (byteLength > maxBytes) done();
  });
  response.on("end", done).on("error", () => done()).on("close", done);
}
