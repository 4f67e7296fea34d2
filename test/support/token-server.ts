import { randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { dirname, join } from "node:path";
import type { Certificates } from "../../packages/broker/src/identity/certificate-authority.ts";

/** What a registry of Debian's is configured with to take the tokens of one place. */
export interface TokenTrust {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly rootcertbundle: string;
}

/** The place that a registry sends for tokens to (distribution's token authentication), with two accounts: one that may read all, one that may read nothing. */
export interface TokenServer {
  /** `127.0.0.1:40123` */
  readonly address: string;
  readonly trust: TokenTrust;
  /** How often it was asked. */
  readonly asked: number;
  /** Signs a token for a repository. */
  issue(repository: string, actions: readonly string[]): string;
  /** Gives the answer in place of the server's own; undefined leaves it to the server again. */
  script(answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void;
  close(): Promise<void>;
}

/** Tenants' accounts at every token server: `reader` may read all, `stranger` nothing. */
export const tokenLogins = {
  reader: { username: "reader", password: "reader-secret" },
  stranger: { username: "stranger", password: "stranger-secret" },
} as const;

const service = "registry.test";
const issuer = "tokens of a test";
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

interface TokenServerOptions {
  /** Where it listens; default loopback. */
  readonly host?: string;
  /** Sign its tokens, and its connections where they are with TLS. */
  readonly certificates: Certificates;
  readonly hasTls?: boolean;
}

/** Starts one. */
export async function startTokenServer({ host = "127.0.0.1", certificates, hasTls = false }: TokenServerOptions): Promise<TokenServer> {
  const [cert, key] = [readFileSync(certificates.certificateFile, "utf8"), readFileSync(certificates.keyFile, "utf8")];
  // The registry takes the key from the chain, once its root is of the bundle (RFC 7515, 4.1.6).
  const x5c = [...cert.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)/g)].map(([, base64 = ""]) => base64.replaceAll(/\s/g, ""));
  let asked = 0;
  let scripted: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;

  const issue: TokenServer["issue"] = (repository, actions) => {
    const now = Math.floor(Date.now() / 1000);
    const access = repository === "" || actions.length === 0 ? [] : [{ type: "repository", name: repository, actions }];
    const body = `${encode({ typ: "JWT", alg: "ES256", x5c })}.${encode({ iss: issuer, sub: "", aud: service, nbf: now - 10, iat: now, exp: now + 300, jti: randomUUID(), access })}`;
    return `${body}.${sign("sha256", Buffer.from(body), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
  };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    asked += 1;
    if (scripted !== undefined) return scripted(request, response);
    const url = new URL(request.url ?? "", "http://tokens");
    const [username, password] = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64").toString().split(":");
    const login = Object.values(tokenLogins).find((each) => each.username === username && each.password === password);
    // The word and the name of the field are Docker Hub's.
    if (login === undefined) return void response.writeHead(401, { "content-type": "application/json" }).end('{"details":"incorrect username or password"}');
    const repository = /^repository:(.+):pull$/.exec(url.searchParams.get("scope") ?? "")?.[1] ?? "";
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token: issue(repository, login === tokenLogins.reader ? ["pull"] : []) }));
  };

  const server = hasTls ? createTlsServer({ cert, key }, answer) : createPlainServer(answer);
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = `${host}:${(server.address() as { port: number }).port}`;
  return {
    address,
    trust: { realm: `${hasTls ? "https" : "http"}://${address}/token`, service, issuer, rootcertbundle: join(dirname(certificates.certificateFile), "ca.pem") },
    get asked() {
      return asked;
    },
    issue,
    script(next) {
      scripted = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
