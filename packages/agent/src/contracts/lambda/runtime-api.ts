import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../clock.ts";
import type { BridgeGateways } from "../../engine/engine.ts";
import type { HostPort } from "../../engine/firewall.ts";
import type { Logger } from "../../log.ts";
import { sendRefusal } from "./replies.ts";
import type { RuntimeSession } from "./runtime-session.ts";

/** An instance may ask before the agent knows its address; that long it is waited for. */
const unknownMs = 5_000;

/**
 * AWS Lambda's Runtime API and Extensions API, served on the host's addresses on the functions' bridges. An instance is known by its
 * source address: what it asks reaches its own session and no other.
 */
export class RuntimeApi {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sessions = new Map<string, RuntimeSession>();
  readonly #arrivals = new Map<string, Set<(session: RuntimeSession | undefined) => void>>();
  readonly #servers: Server[] = [];
  #hosts: BridgeGateways | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Listens on both addresses. Rejects when the host does not have them. */
  async start({ internal, internet }: BridgeGateways): Promise<void> {
    this.#hosts = { internal: await this.#listen(internal), internet: await this.#listen(internet) };
  }

  /** What of the host instances must be able to reach. */
  get endpoints(): readonly HostPort[] {
    return this.#servers.map((server) => {
      const { address, port } = server.address() as AddressInfo;
      return { address, port };
    });
  }

  /** `host:port` for instances of that network; undefined before it listens. */
  addressOn(network: "none" | "internet" | "site"): string | undefined {
    return this.#hosts?.[network === "none" ? "internal" : "internet"];
  }

  /** Whatever comes from that address is the session's. */
  register(ip: string, session: RuntimeSession): void {
    this.#sessions.set(ip, session);
    for (const arrived of this.#arrivals.get(ip) ?? []) arrived(session);
    this.#arrivals.delete(ip);
  }

  /** The instance is gone, unless its address is another's by now. */
  unregister(ip: string, session: RuntimeSession): void {
    if (this.#sessions.get(ip) === session) this.#sessions.delete(ip);
  }

  /** Ends every connection. Idempotent. */
  async close(): Promise<void> {
    for (const arrivals of this.#arrivals.values()) for (const arrived of arrivals) arrived(undefined);
    await Promise.all(
      this.#servers.splice(0).map((server) => {
        const closed = new Promise<void>((resolve) => server.close(() => resolve()));
        server.closeAllConnections();
        return closed;
      }),
    );
  }

  async #listen(host: string): Promise<string> {
    // A poll may wait for days, and its connection with it.
    const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, noDelay: true });
    server.timeout = 0;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, host, resolve);
    });
    this.#servers.push(server);
    return `${host}:${(server.address() as AddressInfo).port}`;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.on("error", () => undefined); // Told by `close` to who reads it.
    response.on("error", () => undefined);
    try {
      const session = await this.#sessionOf(request.socket.remoteAddress?.replace(/^::ffff:/, "") ?? "");
      if (session === undefined) sendRefusal(response, 403, "Forbidden", "No lambda instance of this agent has that address");
      else await route(session, request, response);
      if (!request.readableEnded) request.resume(); // What nobody read must not keep the connection from its next request.
    } catch (err) {
      this.#log.error({ err }, "Runtime API request failed unexpectedly");
      response.destroy();
    }
  }

  #sessionOf(ip: string): Promise<RuntimeSession | undefined> | RuntimeSession {
    const known = this.#sessions.get(ip);
    if (known !== undefined) return known;
    return new Promise((resolve) => {
      const arrivals = this.#arrivals.get(ip) ?? new Set();
      this.#arrivals.set(ip, arrivals);
      const settle = (session: RuntimeSession | undefined) => {
        cancel();
        arrivals.delete(settle);
        resolve(session);
      };
      const cancel = this.#clock.after(unknownMs, () => settle(undefined));
      arrivals.add(settle);
    });
  }
}

async function route(session: RuntimeSession, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "").split("?", 1)[0] ?? "";
  const [, requestId, what] = /^\/2018-06-01\/runtime\/invocation\/([^/]+)\/(response|error)$/.exec(path) ?? [];
  if (requestId !== undefined && request.method === "POST") return what === "response" ? session.respond(requestId, request, response) : session.fail(requestId, request, response);
  switch (`${request.method} ${path}`) {
    case "GET /2018-06-01/runtime/invocation/next":
      return session.next(response);
    case "POST /2018-06-01/runtime/init/error":
      return session.failInit(request, response);
    case "POST /2020-01-01/extension/register":
      return session.extensions.register(request, response);
    case "GET /2020-01-01/extension/event/next":
      return session.extensions.next(request, response);
    case "POST /2020-01-01/extension/init/error":
      return session.extensions.fails(request, response, "init");
    case "POST /2020-01-01/extension/exit/error":
      return session.extensions.fails(request, response, "exit");
    case "PUT /2020-08-15/logs":
    case "PUT /2022-07-01/telemetry":
      return sendRefusal(response, 202, "Telemetry.NotSupported", "There is no telemetry here: read the function's logs"); // As AWS's own emulator says it.
    default:
      return sendRefusal(response, 404, "NotFound", "The Runtime API has no such path");
  }
}
