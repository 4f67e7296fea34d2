import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { parseImageReference } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Registries, startRegistries } from "./registries.ts";

const log = pino({ level: "silent" });

interface Web {
  readonly address: string;
  /** What was asked, and with which `Authorization`. */
  readonly asked: [target: string, authorization: string | undefined][];
}

/** A web server on loopback that answers as the test says. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Web> {
  const asked: Web["asked"] = [];
  const server = createServer((incoming, response) => {
    asked.push([incoming.url ?? "", incoming.headers.authorization]);
    answer(incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => (server.closeAllConnections(), void server.close()));
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function relayOf(registry: Web, mirrors: readonly string[] = []): Promise<{ relay: string; registries: Registries }> {
  const registries = await startRegistries([{ host: registry.address, plainHttp: true, mirrors: [...mirrors] }], log);
  onTestFinished(() => registries.close());
  return { relay: registries.relayOf(registry.address) ?? "", registries };
}

async function get(address: string, path: string, headers: IncomingHttpHeaders = {}, method = "GET") {
  const response = await new Promise<IncomingMessage>((resolve, reject) => request(`http://${address}${path}`, { method, headers }).on("response", resolve).on("error", reject).end());
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

describe("a relay", () => {
  it("passes reads on and answers back, whole or in part", async () => {
    const registry = await serve(({ headers }, response) => response.writeHead(headers.range === undefined ? 200 : 206, { "docker-content-digest": "sha256:d" }).end(headers.range ?? "whole"));
    const { relay } = await relayOf(registry);
    expect(await get(relay, "/v2/app/manifests/1")).toMatchObject({ status: 200, body: "whole", headers: { "docker-content-digest": "sha256:d" } });
    expect(await get(relay, "/v2/app/blobs/x", { range: "bytes=5-" })).toMatchObject({ status: 206, body: "bytes=5-" });
  });

  it("passes nothing else on", async () => {
    const registry = await serve((_, response) => response.end());
    const { relay } = await relayOf(registry);
    for (const path of ["/", "/metrics", "/v2", "/realm/0", "/v2/../metrics"]) expect((await get(relay, path)).status).toBe(404);
    expect((await get(relay, "/v2/app/blobs/uploads/", {}, "POST")).status).toBe(405);
    expect(registry.asked).toEqual([]);
  });

  it("asks mirrors first, without credentials, and passes over those that fail or have nothing", async () => {
    const registry = await serve((_, response) => response.end("registry"));
    const empty = await serve((_, response) => response.writeHead(404).end());
    const full = await serve(({ url }, response) => (url === "/v2/app/manifests/1" ? response.end("mirror") : response.writeHead(500).end()));
    const { relay } = await relayOf(registry, ["http://127.0.0.1:1", `http://${empty.address}`, `http://${full.address}`]);
    expect((await get(relay, "/v2/app/manifests/1", { authorization: "Basic x" })).body).toBe("mirror");
    expect((await get(relay, "/v2/app/manifests/2", { authorization: "Basic x" })).body).toBe("registry");
    expect((await get(relay, "/v2/", { authorization: "Basic x" })).body).toBe("registry");
    expect([...empty.asked, ...full.asked].map(([, authorization]) => authorization)).toEqual([undefined, undefined, undefined, undefined]);
    expect(registry.asked).toEqual([["/v2/app/manifests/2", "Basic x"], ["/v2/", "Basic x"]]);
  });

  it("follows to the storage, which sees no credentials", async () => {
    const storage = await serve((_, response) => response.end("bytes"));
    const registry = await serve((_, response) => response.writeHead(307, { location: `http://${storage.address}/blob?signed` }).end());
    const { relay } = await relayOf(registry);
    expect(await get(relay, "/v2/app/blobs/x", { authorization: "Bearer x" })).toMatchObject({ status: 200, body: "bytes" });
    expect(storage.asked).toEqual([["/blob?signed", undefined]]);
  });

  it("ends a circle of redirects", async () => {
    const registry = await serve((incoming, response) => response.writeHead(302, { location: incoming.url }).end());
    const { relay } = await relayOf(registry);
    expect(await get(relay, "/v2/app/blobs/x")).toMatchObject({ status: 502, body: expect.stringContaining("redirects more than") });
    expect(registry.asked.length).toBeLessThan(10);
  });

  it("leads to the place that gives tokens", async () => {
    const tokens = await serve((_, response) => response.end('{"token":"t"}'));
    const registry = await serve((_, response) => response.writeHead(401, { "www-authenticate": `Bearer realm="http://${tokens.address}/token?a=1",service="s"` }).end());
    const { relay } = await relayOf(registry);
    const field = (await get(relay, "/v2/")).headers["www-authenticate"] ?? "";
    expect(field).toBe(`Bearer realm="http://${relay}/realm/0",service="s"`);
    expect((await get(relay, "/realm/0?scope=pull", { authorization: "Basic x" })).body).toBe('{"token":"t"}');
    expect(tokens.asked).toEqual([["/token?a=1&scope=pull", "Basic x"]]);
  });

  it("breaks off where the registry does, and stops asking when the engine leaves", async () => {
    const left = Promise.withResolvers<void>();
    const registry = await serve(({ url }, response) => {
      response.writeHead(200, { "content-length": 100 }).write("half");
      if (url?.includes("broken") === true) setImmediate(() => response.destroy());
      else response.on("close", left.resolve);
    });
    const { relay } = await relayOf(registry);
    await expect(get(relay, "/v2/app/blobs/broken")).rejects.toThrow(/aborted|terminated|hang up/);
    const leaving = request(`http://${relay}/v2/app/blobs/long`).on("response", () => leaving.destroy()).on("error", () => undefined);
    leaving.end();
    await left.promise;
  });

  it("says why the registry cannot be reached", async () => {
    const registries = await startRegistries([{ host: "127.0.0.1:1", plainHttp: true, mirrors: [] }], log);
    onTestFinished(() => registries.close());
    expect(await get(registries.relayOf("127.0.0.1:1") ?? "", "/v2/")).toMatchObject({ status: 502, body: expect.stringContaining("ECONNREFUSED") });
  });
});

describe("a registry that is asked itself", () => {
  const reference = (address: string) => parseImageReference(`${address}/team/app:1`);
  const credential = { username: "robot", password: "secret" };
  const basic = `Basic ${Buffer.from("robot:secret").toString("base64")}`;

  it("tells what it has against a pull, with and without credentials", async () => {
    const registry = await serve(({ headers }, response) => {
      if (headers.authorization === basic) response.writeHead(404).end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}');
      else response.writeHead(401, { "www-authenticate": "Basic" }).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    });
    const { registries } = await relayOf(registry);
    expect(await registries.ask(reference(registry.address), undefined)).toMatchObject({ status: 401, words: "authentication required" });
    expect(await registries.ask(reference(registry.address), credential)).toMatchObject({ status: 404, words: "manifest unknown" });
    expect(registry.asked.map(([target]) => target)).toEqual(Array(3).fill("/v2/team/app/manifests/1"));
  });

  it("is asked with a token where it wants one, or with nothing where none is given", async () => {
    const tokens = await serve(({ headers }, response) => (headers.authorization === basic ? response.end('{"token":"t"}') : response.writeHead(403).end('{"errors":[{"code":"DENIED"}]}')));
    const registry = await serve(({ headers }, response) => {
      if (headers.authorization !== "Bearer t") response.writeHead(401, { "www-authenticate": `Bearer realm="http://${tokens.address}/token",service="s",scope="repository:team/app:pull"` }).end();
      else response.end(JSON.stringify({ manifests: [{ platform: { os: "linux", architecture: "arm64" } }, { platform: { os: "windows", architecture: "amd64" } }, {}] }));
    });
    const { registries } = await relayOf(registry);
    expect(await registries.ask(reference(registry.address), credential)).toEqual({ status: 200, words: "", architectures: ["arm64"] });
    expect(await registries.ask(reference(registry.address), undefined)).toEqual({ tokenServer: tokens.address, status: 403, words: "DENIED", architectures: undefined });
    expect(tokens.asked[0]?.[0]).toBe("/token?service=s&scope=repository%3Ateam%2Fapp%3Apull");
  });

  it("is told apart from the place that gives tokens, also where that is away or gives none", async () => {
    let realm = "http://127.0.0.1:1/token";
    const tokens = await serve((_, response) => response.end("{}"));
    const registry = await serve((_, response) => response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"` }).end('{"errors":[{"code":"UNAUTHORIZED"}]}'));
    const { registries } = await relayOf(registry);
    await expect(registries.ask(reference(registry.address), credential)).rejects.toMatchObject({ tokenServer: "127.0.0.1:1", message: expect.stringContaining("ECONNREFUSED") });
    realm = `http://${tokens.address}/token`;
    expect(await registries.ask(reference(registry.address), credential)).toMatchObject({ tokenServer: tokens.address, status: 200, words: "no token" });
    realm = "nowhere";
    expect(await registries.ask(reference(registry.address), credential)).toEqual({ status: 401, words: "UNAUTHORIZED", architectures: undefined });
  });

  it.each([
    ['Bearer realm="http://x",error="invalid_token"', "authentication required (invalid_token)"],
    ['Bearer realm="http://x",scope="repository:team/app:pull",error="insufficient_scope"', "authentication required (insufficient_scope: repository:team/app:pull)"],
    ['Basic realm="x",error="e"', "authentication required"],
  ])("says in its challenge what it has against a token: %s", async (field, words) => {
    const tokens = await serve((_, response) => response.end('{"access_token":"t"}'));
    const registry = await serve(({ headers }, response) => {
      const challenge = headers.authorization === undefined ? `Bearer realm="http://${tokens.address}/"` : field;
      response.writeHead(401, { "www-authenticate": challenge }).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    });
    const { registries } = await relayOf(registry);
    expect(await registries.ask(reference(registry.address), credential)).toMatchObject({ status: 401, words });
  });

  it.each([
    ['{"details":"incorrect username or password"}', "incorrect username or password"],
    ['{"error":"invalid_grant","error_description":"expired"}', "expired"],
    ['{"error":"Invalid Username or Password"}', "Invalid Username or Password"],
    ['{"message":"no such\\npath","errors":[]}', "no such path"],
  ])("may refuse in a document of its own: %s", async (body, words) => {
    const registry = await serve((_, response) => response.writeHead(403).end(body));
    const { registries } = await relayOf(registry);
    expect(await registries.ask(reference(registry.address), undefined)).toMatchObject({ status: 403, words });
  });

  it.each(["", "no JSON", "null", "7", '{"errors":"none"}', '{"errors":[null]}', '{"errors":[{"message":7}]}'])("may refuse in any words: %j", async (body) => {
    const registry = await serve((_, response) => response.writeHead(500).end(body));
    const { registries } = await relayOf(registry);
    expect(await registries.ask(reference(registry.address), undefined)).toMatchObject({ status: 500, words: "Internal Server Error" });
  });
});
