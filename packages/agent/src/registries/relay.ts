import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { Logger } from "../log.ts";
import { readChallenge, withRealm } from "./challenge.ts";
import type { RegistryAccess } from "./settings.ts";
import { type Upstream, withoutAuthorization } from "./upstream.ts";

/** A registry as this host's engine reaches it: on loopback, without TLS. */
export interface Relay {
  /** `127.0.0.1:40123`; another one after each start. */
  readonly address: string;
  close(): Promise<void>;
}

interface RelayOptions {
  readonly access: RegistryAccess;
  readonly upstream: Upstream;
  readonly log: Logger;
}

/** Fields of one connection, and what Node writes itself. */
const hopByHop = ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade", "host", "expect"];
/** A registry has one place that gives tokens, seldom two. */
const maxRealms = 16;

/**
 * Stands in front of a registry that the engine would not reach by itself: passes reads on to its mirrors, then to it, and answers back
 * as they come. Invariants: Y1 only reads of `/v2/` and of places that the registry itself named for tokens are passed on. Y2 credentials
 * go to the registry and to those places, to no mirror and no storage. Y3 nothing is kept: bodies stream at the engine's pace.
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const handler = new RelayHandler(options);
  const server = createServer((request, response) => void handler.answer(request, response));
  // An engine tries TLS first, and takes our refusal for what it is.
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  handler.address = address;
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

class RelayHandler {
  address = "";
  readonly #options: RelayOptions;
  readonly #realms: string[] = [];

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    try {
      const { method, url = "" } = request;
      if (method !== "GET" && method !== "HEAD") return refuse(response, 405, "UNSUPPORTED", "the relay only reads");
      const headers = without(request.headers, hopByHop);
      const upstream = await this.#open(url, { method, headers, signal: gone.signal });
      if (upstream === undefined) return refuse(response, 404, "UNSUPPORTED", "the relay passes only /v2/ on"); // Y1
      response.writeHead(upstream.statusCode ?? 502, this.#headersBack(upstream));
      await pipeline(upstream, response); // Y3
    } catch (err) {
      if (gone.signal.aborted) return;
      this.#options.log.debug({ err, registry: this.#options.access.host }, "registry not relayed");
      if (response.headersSent) response.destroy();
      else refuse(response, 502, "UNAVAILABLE", `${this.#options.access.host}: ${err instanceof Error ? err.message : String(err)}`);
    }
  }

  async #open(target: string, request: Parameters<Upstream["open"]>[1]): Promise<IncomingMessage | undefined> {
    const { access, upstream } = this.#options;
    const realm = /^\/realm\/(\d+)(?:\?(.*))?$/.exec(target);
    if (realm !== null) return this.#openRealm(Number(realm[1]), realm[2] ?? "", request);
    if (!target.startsWith("/v2/") || target.includes("/../")) return undefined;
    // What the engine learns from the bare path is how the registry itself wants to be asked.
    if (target !== "/v2/") {
      for (const mirror of access.mirrors) {
        const answer = await this.#openMirror(new URL(target, mirror), request);
        if (answer !== undefined) return answer;
      }
    }
    return upstream.open(new URL(target, access.url), request);
  }

  /** Undefined when the next one is to be asked. */
  async #openMirror(url: URL, request: Parameters<Upstream["open"]>[1]): Promise<IncomingMessage | undefined> {
    const { upstream, log, access } = this.#options;
    try {
      const answer = await upstream.open(url, { ...request, headers: withoutAuthorization(request.headers) }); // Y2
      const status = answer.statusCode ?? 0;
      if ((status >= 200 && status < 300) || status === 416) return answer;
      answer.destroy();
      log.debug({ registry: access.host, mirror: url.host, status }, "mirror passed over");
    } catch (err) {
      request.signal.throwIfAborted();
      log.debug({ err, registry: access.host, mirror: url.host }, "mirror passed over");
    }
    return undefined;
  }

  async #openRealm(index: number, query: string, request: Parameters<Upstream["open"]>[1]): Promise<IncomingMessage | undefined> {
    const realm = this.#realms[index];
    if (realm === undefined) return undefined; // Y1
    const url = new URL(realm);
    if (query !== "") url.search = url.search === "" ? query : `${url.search}&${query}`;
    return this.#options.upstream.open(url, request);
  }

  #headersBack(upstream: IncomingMessage): IncomingHttpHeaders {
    const headers = without(upstream.headers, hopByHop);
    const field = headers["www-authenticate"];
    const challenge = readChallenge(field);
    if (field === undefined || challenge?.scheme !== "bearer") return headers;
    const index = this.#indexOf(challenge.realm);
    return index === undefined ? headers : { ...headers, "www-authenticate": withRealm(field, `http://${this.address}/realm/${index}`) };
  }

  /** The engine trusts as little of the place that gives tokens as of the registry: it is reached through here as well. */
  #indexOf(realm: string): number | undefined {
    if (!URL.canParse(realm) || !/^https?:$/.test(new URL(realm).protocol)) return undefined;
    if (new URL(realm).protocol === "http:" && !this.#options.access.isPlain) return undefined;
    const known = this.#realms.indexOf(realm);
    if (known !== -1) return known;
    if (this.#realms.length === maxRealms) return undefined;
    return this.#realms.push(realm) - 1;
  }
}

function without(headers: IncomingHttpHeaders, names: readonly string[]): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));
}

/** In the form in which registries tell errors. */
function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ errors: [{ code, message }] }));
}
