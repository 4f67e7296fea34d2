import { type BrokerId, LongshoreError, type TenantId } from "@longshore/protocol";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { connect, type Socket } from "node:net";
import { pino } from "pino";
import type { SignatureVerifier } from "../../aws/signature-verifier.ts";
import { createFakeInvoker, type FakeInvoker, type Script } from "../../invocation/testing/fake-invoker.ts";
import { createSocketServer } from "../../socket/server.ts";
import { readConsole } from "../console.ts";
import type { BrokerParts } from "../handler.ts";
import { defaultHttpLimits, type HttpLimits } from "../limits.ts";
import { createHttpServer, type HttpServer } from "../server.ts";

export const goodKey = "lsk_good";

/** The HTTP side on a free port, with scripts in place of functions. */
export interface HttpRig {
  readonly invoker: FakeInvoker;
  readonly port: number;
  readonly server: HttpServer;
  /** One request; resolves with its whole answer. */
  send(options: RequestOptions & { body?: Uint8Array | string }): Promise<HttpAnswer>;
  /** Sends raw bytes and resolves with everything that came until the connection closed. */
  raw(text: string | Uint8Array): Promise<string>;
  /** A raw connection. */
  open(): Socket;
  close(): Promise<void>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly trailers: NodeJS.Dict<string>;
  readonly body: Buffer;
  readonly json: () => Record<string, unknown>;
}

export interface RigOptions {
  readonly parts?: Partial<BrokerParts>;
  readonly limits?: Partial<HttpLimits>;
  readonly trustsLoopback?: boolean;
  readonly signatures?: SignatureVerifier;
  readonly allowedOrigins?: readonly string[];
  readonly consoleFolder?: string | undefined;
}

const noSignatures: SignatureVerifier = {
  verify() {
    throw new Error("this test signs nothing");
  },
};

/** Starts it; parts that a test does not give throw when they are used. */
export async function startHttpRig(scripts: Record<string, Script>, { parts = {}, limits = {}, trustsLoopback = true, signatures = noSignatures, allowedOrigins = [], consoleFolder }: RigOptions = {}): Promise<HttpRig> {
  const invoker = createFakeInvoker(scripts);
  const log = pino({ level: "silent" });
  const authenticate = (bearer: string | undefined, { loopback }: { loopback: boolean }) => {
    if (bearer === undefined && loopback) return { tenantId: "default" as TenantId };
    if (bearer === undefined) throw new LongshoreError("key_missing", "Cannot tell who calls");
    if (bearer !== goodKey) throw new LongshoreError("token_invalid", "Cannot accept the API key");
    return { tenantId: "acme" as TenantId };
  };
  const brokerId = "b1" as BrokerId;
  const server = createHttpServer({
    parts: { health: { brokerId, problem: () => undefined }, metrics: () => "", ...parts } as BrokerParts,
    invoker,
    socketServer: createSocketServer({ invoker, acceptor: { accept: () => Promise.reject(new Error("this test accepts nothing")) }, authenticate, events: { snapshot: () => [], subscribe: () => () => undefined }, logs: { open: () => Promise.resolve([]) }, brokerId, log }),
    callers: { authenticate, trustsLoopback, allowedOrigins },
    signatures,
    limits: { ...defaultHttpLimits, ...limits },
    console: readConsole(consoleFolder),
    listen: { host: "127.0.0.1", port: 0 },
    log,
  });
  const port = await server.start();
  const open = () => connect(port, "127.0.0.1");
  return {
    invoker,
    port,
    server,
    open,
    raw(text) {
      return new Promise((resolve, reject) => {
        const socket = open();
        const parts: Buffer[] = [];
        socket.on("data", (part: Buffer) => parts.push(part));
        socket.on("error", reject);
        socket.on("close", () => { resolve(Buffer.concat(parts).toString("latin1")); });
        socket.write(text);
      });
    },
    send: ({ body, ...options }) => send(port, options, body),
    close: () => server.close(),
  };
}

function send(port: number, options: RequestOptions, body?: Uint8Array | string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: "127.0.0.1", port, agent: new Agent(), ...options }, (incoming) => void readAnswer(incoming).then(resolve, reject));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    rawHeaders: incoming.rawHeaders,
    trailers: incoming.trailers,
    body,
    json: () => JSON.parse(body.toString()) as Record<string, unknown>,
  };
}
