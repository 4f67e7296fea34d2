import { headers as ours, LongshoreError, type Reason, socketPath } from "@longshore/protocol";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Logger } from "pino";
import { AwsDoor } from "../aws/door.ts";
import { isAwsPath } from "../aws/route.ts";
import type { SignatureVerifier } from "../aws/signature-verifier.ts";
import type { Invoker } from "../invocation/request.ts";
import type { Caller } from "../socket/caller.ts";
import { refuseUpgrade } from "../socket/refuse-upgrade.ts";
import type { SocketServer } from "../socket/server.ts";
import { type CallerRules, identifyApiCaller, identifyCaller } from "./caller.ts";
import type { Console } from "./console.ts";
import { answerCors } from "./cors.ts";
import { readDocument } from "./document.ts";
import type { BrokerParts, HandlerContext } from "./handler.ts";
import { handlers } from "./handlers.ts";
import { invokeOverHttp } from "./invocation-door.ts";
import { readInvocationHead } from "./invocation-request.ts";
import type { HttpLimits } from "./limits.ts";
import { callerError, sendJson, sendProblem } from "./problem.ts";
import { type Destination, type Match, matchFunctionUrl, matchRoute, splitTarget } from "./router.ts";
import { invokeOnce, readInvokeQuery, submitOverHttp } from "./submission-door.ts";
import { UpgradeFront } from "./upgrade-front.ts";

export interface HttpServerOptions {
  readonly parts: BrokerParts;
  readonly invoker: Invoker;
  readonly socketServer: SocketServer;
  readonly callers: CallerRules;
  /** Knows callers of AWS's API by their signatures. */
  readonly signatures: SignatureVerifier;
  readonly limits: HttpLimits;
  readonly console: Console;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls?: { readonly key: string; readonly cert: string } | undefined;
  readonly log: Logger;
}

/** The broker's HTTP side. */
export interface HttpServer {
  /** Resolves with the port once it listens; throws when the address is taken. */
  start(): Promise<number>;
  /** Closes kept connections as they fall idle, lets requests under way finish for at most `deadlineMs`, then closes. */
  drain(deadlineMs: number): Promise<void>;
  /** Ends every connection now. Idempotent. */
  close(): Promise<void>;
}

/** Makes the HTTP side; no I/O before `start`. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new NodeHttpServer(options);
}

class NodeHttpServer implements HttpServer {
  readonly #options: HttpServerOptions;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #aws: AwsDoor;
  readonly #upgraded = new Set<Duplex>();
  #isDraining = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#log = options.log.child({ component: "http" });
    this.#aws = new AwsDoor({ ...options, log: this.#log });
    const { headerBytes, headerMs, keepAliveMs } = options.limits;
    const settings = { maxHeaderSize: headerBytes, headersTimeout: headerMs, requestTimeout: 0, keepAliveTimeout: keepAliveMs, connectionsCheckingInterval: 1_000, noDelay: true };
    this.#server = options.tls === undefined ? createServer(settings) : createTlsServer({ ...settings, ...options.tls });
    this.#server.maxHeadersCount = 0; // Node drops fields beyond its count without a word; we count and refuse.
    const take = (request: IncomingMessage, response: ServerResponse) => void this.#take(request, response);
    this.#server.on("request", take).on("checkContinue", take);
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => void this.#takeUpgrade(request, socket, head));
    this.#server.on("clientError", refuseMalformed);
  }

  start(): Promise<number> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause) => { reject(new Error(`Cannot listen on ${host}:${port}: ${cause.message}`, { cause })); });
      this.#server.listen(port, host, () => { resolve((this.#server.address() as AddressInfo).port); });
    });
  }

  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true;
    const idle = this.#closed();
    this.#server.closeIdleConnections();
    const cut = setTimeout(() => void this.close(), deadlineMs);
    await Promise.all([idle, this.#options.socketServer.drain(deadlineMs)]);
    clearTimeout(cut);
    await this.close();
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    const closed = this.#closed();
    for (const socket of this.#upgraded) socket.destroy();
    await this.#options.socketServer.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #closed(): Promise<void> {
    return this.#server.listening ? new Promise((resolve) => this.#server.close(() => { resolve(); })) : Promise.resolve();
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const begunMs = performance.now();
    response.once("close", () => this.#options.parts.answered?.(response.writableFinished ? response.statusCode : undefined, performance.now() - begunMs));
    request.on("error", () => undefined); // A broken request is told by its `close`.
    if (this.#isDraining) response.setHeader("Connection", "close");
    try {
      await this.#route(request, response);
    } catch (thrown) {
      const error = callerError(thrown);
      if (error.reason === "unexpected") this.#log.error({ err: error.cause, method: request.method }, "request failed unexpectedly");
      if (error.reason === "payload_too_large") response.setHeader("Connection", "close"); // Its body is not read.
      sendProblem(response, error);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = splitTarget(request.url ?? "/");
    if (isAwsPath(target.path)) return this.#aws.take(request, response, target);
    const functionUrl = matchFunctionUrl(target);
    if (functionUrl !== undefined) {
      const { tenantId } = await identifyCaller(request, this.#options.callers);
      return this.#invoke(request, response, functionUrl, tenantId);
    }
    if (this.#options.console.answer(request, response, target.path)) return;
    if (answerCors(request, response, target.path, this.#options.callers.allowedOrigins)) return;
    const match = matchRoute(request.method ?? "GET", target.path);
    const caller = match.route.access === "key" ? await identifyApiCaller(request, this.#options.callers) : undefined;
    const query = new URLSearchParams(target.query);
    if (match.route.id !== "invoke") return this.#handle(match, request, response, caller, query);
    const destination = { functionName: match.parameters["fn"] ?? "", target: "/", viaUrl: false };
    const { tenantId } = caller as Caller;
    const how = readInvokeQuery(query);
    if (how.mode === "sync") return this.#invoke(request, response, destination, tenantId);
    return submitOverHttp(this.#options.parts.queue, this.#options.limits, request, response, destination, tenantId, how);
  }

  #invoke(request: IncomingMessage, response: ServerResponse, destination: Destination, tenantId: Caller["tenantId"]): Promise<void> {
    if (request.headers[ours.idempotencyKey] !== undefined) return invokeOnce(this.#options.parts.queue, this.#options.limits, request, response, destination, tenantId);
    return invokeOverHttp(this.#options.invoker, this.#options.limits, request, response, destination, tenantId);
  }

  async #handle(match: Match, request: IncomingMessage, response: ServerResponse, caller: Caller | undefined, query: URLSearchParams): Promise<void> {
    const context: HandlerContext = {
      parts: this.#options.parts,
      request,
      response,
      parameters: match.parameters,
      query,
      caller,
      get tenantId() {
        if (caller === undefined) throw new Error(`Route ${match.route.id} has no caller`);
        return caller.tenantId;
      },
      document: () => {
        if (request.headers.expect !== undefined) response.writeContinue();
        return readDocument(request, this.#options.limits);
      },
    };
    const answer = await handlers[match.route.id as keyof typeof handlers](context);
    if (answer !== undefined) sendJson(response, match.route.status, answer);
  }

  async #takeUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    this.#upgraded.add(socket);
    socket.once("close", () => this.#upgraded.delete(socket));
    try {
      const target = splitTarget(request.url ?? "/");
      if (target.path === socketPath) return this.#options.socketServer.handleUpgrade(request, socket, head);
      const functionUrl = matchFunctionUrl(target);
      if (functionUrl === undefined) throw new LongshoreError("route_not_found", "Cannot upgrade this path: it is neither the socket nor a function's", { phase: "admission" });
      const { tenantId } = await identifyCaller(request, this.#options.callers);
      const invocation = readInvocationHead(request, functionUrl, tenantId, this.#options.limits);
      const front = new UpgradeFront(socket, invocation.invocationId);
      front.attach(this.#options.invoker.invoke({ ...invocation, detach: false, upgrade: true, body: new Uint8Array(0), more: true, bodyBytes: undefined }, front), head);
    } catch (thrown) {
      refuseUpgrade(socket, callerError(thrown));
    }
  }
}

/** What Node's parser could not read: told apart by its own code, answered, and closed. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const known = new Map<string | undefined, Reason>([["HPE_HEADER_OVERFLOW", "headers_too_large"], ["ERR_HTTP_REQUEST_TIMEOUT", "body_too_slow"]]).get(error.code);
  refuseUpgrade(socket, new LongshoreError(known ?? "bad_header", `Cannot read request: ${known === undefined ? "it is not HTTP/1.1" : known.replaceAll("_", " ")}`, { phase: "admission" }));
}

