import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { joinRequestSchema, LongshoreError, parseInput, renewRequestSchema } from "@longshore/protocol";
import type { Certificates } from "../../packages/broker/src/identity/certificate-authority.ts";
import type { Identity } from "../../packages/broker/src/identity/identity.ts";

/** The two routes by which hosts come in, and nothing else of a broker. Every request body is kept for the test to look at. */
export interface JoinFront extends AsyncDisposable {
  readonly url: string;
  readonly bodies: readonly string[];
}

/** Starts it on a free port of loopback, with TLS where there are certificates. */
export async function startJoinFront(identity: () => Identity, certificates?: Certificates): Promise<JoinFront> {
  const bodies: string[] = [];
  const handle = (request: IncomingMessage, response: ServerResponse) => void answer(identity(), request, response, bodies);
  const server =
    certificates === undefined
      ? createHttpServer(handle)
      : createHttpsServer({ cert: readFileSync(certificates.certificateFile), key: readFileSync(certificates.keyFile) }, handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `${certificates === undefined ? "http" : "https"}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

async function answer(identity: Identity, request: IncomingMessage, response: ServerResponse, bodies: string[]): Promise<void> {
  let text = "";
  for await (const part of request) text += String(part);
  bodies.push(text);
  const agentId = /^\/v1\/agents\/([^/]+)\/renew$/.exec(request.url ?? "")?.[1];
  try {
    const document: unknown = JSON.parse(text);
    const given = agentId === undefined ? await identity.join(parseInput(joinRequestSchema, document, "join request")) : await identity.renew(agentId, parseInput(renewRequestSchema, document, "renewal"));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(given));
  } catch (error) {
    const ours = LongshoreError.from(error, "Cannot join");
    response.writeHead(ours.httpStatus, { "content-type": "application/problem+json" }).end(JSON.stringify(ours.toShape()));
  }
}
