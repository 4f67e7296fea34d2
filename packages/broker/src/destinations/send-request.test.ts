import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadOrCreateCertificates } from "../identity/certificate-authority.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { createAllowList } from "./allow-list.ts";
import { resolveHost } from "./resolve-host.ts";
import { createSender } from "./send-request.ts";
import { deliverWebhook, webhookLimits } from "./webhook.ts";

const secrets = [`whsec_${"A".repeat(32)}`];
const body = Buffer.from('{"type":"invocation.succeeded"}');
const servers: TcpServer[] = [];
let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock();
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    (server as Partial<Server>).closeAllConnections?.();
    server.close();
    await once(server, "close");
  }
});

async function listen(server: TcpServer): Promise<number> {
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}
const serve = (listener: RequestListener) => listen(createServer(listener));

interface Wish {
  readonly addresses?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}
/** Delivers over real connections; names stand for 127.0.0.1, which is allowed. */
const deliver = (url: string, { addresses = {}, signal }: Wish = {}) =>
  deliverWebhook(
    { url, body, id: "i-1", invocationId: "i-1", attempt: 1, secrets, ...(signal && { signal }) },
    { clock, allow: createAllowList(["127.0.0.0/8"]), resolve: async (host) => [addresses[host] ?? "127.0.0.1"], send: createSender(clock) },
  );

describe("a webhook over a real connection", () => {
  it("arrives whole, with its headers, under the name that it was sent to", async () => {
    const arrived = Promise.withResolvers<{ request: IncomingMessage; bytes: Buffer }>();
    const take = async (request: IncomingMessage, response: ServerResponse) => {
      arrived.resolve({ request, bytes: await buffer(request) });
      response.writeHead(204).end();
    };
    const port = await serve((request, response) => void take(request, response));
    expect(await deliver(`http://hooks.example:${port}/a/b?c=d%20e`)).toMatchObject({ outcome: "delivered", status: 204 });
    const { request, bytes } = await arrived.promise;
    expect([request.method, request.url, bytes]).toEqual(["POST", "/a/b?c=d%20e", body]);
    expect(request.headers).toMatchObject({ "host": `hooks.example:${port}`, "content-type": "application/json", "content-length": String(body.length), "webhook-id": "i-1", "webhook-signature": expect.stringMatching(/^v1,/), "connection": "close" });
  });

  it("goes to the address that was checked, whatever the name would stand for a moment later", async () => {
    let lookups = 0;
    const port = await serve((_, response) => response.end("right"));
    const outcome = await deliverWebhook(
      { url: `http://localhost:${port}/`, body, id: "i", invocationId: "i", attempt: 1, secrets },
      { clock, allow: createAllowList(["127.0.0.1"]), resolve: async () => [++lookups === 1 ? "127.0.0.1" : "127.0.0.2"], send: createSender(clock) },
    );
    expect([outcome.outcome, lookups]).toEqual(["delivered", 1]);
    // The machine's own resolver has no such name: only what was checked can have led there.
    expect(await deliver(`http://nowhere.invalid:${port}/`)).toMatchObject({ outcome: "delivered" });
  });

  it("is not sent to this machine unless that is allowed", async () => {
    let requests = 0;
    const port = await serve((_, response) => (requests += 1, response.end()));
    for (const host of ["localhost", "127.1", "[::ffff:127.0.0.1]", "2130706433", "0"]) {
      const outcome = await deliverWebhook({ url: `http://${host}:${port}/`, body, id: "i", invocationId: "i", attempt: 1, secrets }, { clock, allow: createAllowList([]), resolve: resolveHost, send: createSender(clock) });
      expect(outcome).toMatchObject({ outcome: "refused", message: expect.stringMatching(/loopback|unspecified/) });
    }
    expect(requests).toBe(0);
  });

  it("follows redirects with its body, each by a connection of its own, and not into what is not allowed", async () => {
    const seen: [string | undefined, string, unknown][] = [];
    const take = async (request: IncomingMessage, response: ServerResponse, status: number, location?: string) => {
      seen.push([request.url, (await buffer(request)).toString(), request.socket.remotePort]);
      response.writeHead(status, location === undefined ? {} : { location }).end();
    };
    const target = await serve((request, response) => void take(request, response, 200));
    const port = await serve((request, response) => void take(request, response, 307, request.url === "/out" ? "http://10.0.0.1/" : `http://other.example:${target}/there`));
    expect(await deliver(`http://hooks.example:${port}/`)).toMatchObject({ outcome: "delivered" });
    expect(seen.map(([path, text]) => [path, text])).toEqual([["/", body.toString()], ["/there", body.toString()]]);
    expect(await deliver(`http://hooks.example:${port}/out`)).toMatchObject({ outcome: "refused", message: expect.stringContaining("private") });
    expect(await deliver(`http://hooks.example:${port}/`, { addresses: { "other.example": "169.254.169.254" } })).toMatchObject({ outcome: "refused", message: expect.stringContaining("link-local") });
    expect(seen).toHaveLength(4);
  });

  it("reads no more than 16 KiB of an answer, then hangs up: its head has said what counts", async () => {
    const closed = Promise.withResolvers<number>();
    const port = await serve((request, response) => {
      request.resume();
      let written = 0;
      const more = () => {
        while (!response.destroyed && written < 2 ** 30 && response.write(Buffer.alloc(64 * 1024))) written += 64 * 1024;
      };
      response.on("drain", more).on("close", () => closed.resolve(written));
      more();
    });
    expect(await deliver(`http://hooks.example:${port}/`)).toMatchObject({ outcome: "delivered", status: 200 });
    expect(await closed.promise).toBeLessThan(2 ** 30);
  });

  it("fails on an answer with a huge head, and may be repeated", async () => {
    const port = await serve((_, response) => response.writeHead(200, { "x-large": "x".repeat(64 * 1024) }).end());
    expect(await deliver(`http://hooks.example:${port}/`)).toMatchObject({ outcome: "retry", message: expect.stringContaining("Header") });
  });

  it("ends in time when no answer comes, and hangs up", async () => {
    const [arrived, closed] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
    const port = await serve((request) => {
      arrived.resolve(undefined);
      request.socket.on("close", () => closed.resolve(undefined));
    });
    const told = deliver(`http://hooks.example:${port}/`);
    await arrived.promise;
    clock.advance(webhookLimits.wholeMs);
    expect(await told).toEqual({ outcome: "retry", message: `Cannot deliver to "hooks.example:${port}": it took too long` });
    await closed.promise;
  });

  it("was delivered when only the answer's body does not end", async () => {
    const closed = Promise.withResolvers<undefined>();
    const port = await serve((_, response) => {
      response.on("close", () => closed.resolve(undefined));
      response.writeHead(200).write("some");
    });
    const headRead = Promise.withResolvers<unknown>();
    subscribe("http.client.response.finish", headRead.resolve);
    const told = deliver(`http://hooks.example:${port}/`);
    await headRead.promise;
    unsubscribe("http.client.response.finish", headRead.resolve);
    clock.advance(webhookLimits.wholeMs);
    expect(await told).toMatchObject({ outcome: "delivered" });
    await closed.promise;
  });

  it("gives up a connection that does not come to stand in five seconds", async () => {
    const arrived = Promise.withResolvers<undefined>();
    const port = await listen(createTcpServer((socket) => void socket.on("error", () => undefined).once("data", () => arrived.resolve(undefined))));
    const told = deliver(`https://hooks.example:${port}/`); // Greeted by nobody.
    await arrived.promise;
    clock.advance(webhookLimits.connectMs);
    expect(await told).toMatchObject({ outcome: "retry", message: expect.stringContaining("it was not connected in time") });
  });

  it.each([["hangs up", ""], ["does not speak HTTP", "220 mail.example ESMTP\r\n"]])("may be repeated where the other side %s", async (_, words) => {
    const port = await listen(createTcpServer((socket) => void socket.on("error", () => undefined).once("data", () => socket.end(words))));
    expect(await deliver(`http://hooks.example:${port}/`)).toMatchObject({ outcome: "retry" });
  });

  it("may be repeated where nobody listens", async () => {
    const port = await serve(() => undefined);
    const [server] = servers.splice(0);
    server?.close();
    await once(server!, "close");
    expect(await deliver(`http://hooks.example:${port}/`)).toEqual({ outcome: "retry", message: `Cannot deliver to "hooks.example:${port}": the connection was refused` });
  });
});

describe("a webhook over TLS", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "longshore-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is sent only to whom a trusted authority has certified for that name", async () => {
    let requests = 0;
    const { certificateFile, keyFile, ca } = await loadOrCreateCertificates(folder, ["hooks.example"]);
    const port = await listen(createTlsServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (_, response) => (requests += 1, response.end())));
    const told = (host: string) => deliver(`https://${host}:${port}/`);
    expect(await told("hooks.example")).toMatchObject({ outcome: "retry", message: expect.stringContaining("certificate") });
    const trusted = getCACertificates("default");
    try {
      setDefaultCACertificates([...trusted, ca.pem]);
      expect(await told("hooks.example")).toMatchObject({ outcome: "delivered" });
      expect(await told("hooks.example.")).toMatchObject({ outcome: "delivered" });
      expect(await told("127.0.0.1")).toMatchObject({ outcome: "delivered" });
      expect(await told("other.example")).toMatchObject({ outcome: "retry", message: expect.stringMatching(/other\.example|altnames/) });
    } finally {
      setDefaultCACertificates(trusted);
    }
    expect(requests).toBe(3);
  }, 60_000); // Keys are made, and every authority of the machine is read, twice.
});
