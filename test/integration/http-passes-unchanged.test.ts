import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request, type RequestOptions } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { component } from "../support/components.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { ensureImage } from "../support/images/ensure-image.ts";

/** A web server that tells what reached it and answers in every shape HTTP has. */
const mirror = `
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";

createServer(async (request, response) => {
  const { pathname, searchParams } = new URL("http://mirror" + request.url);
  switch (pathname) {
    case "/fields":
      return void response.writeHead(200, [["Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"], ["X-A", "1"], ["Set-Cookie", "b=2"], ["X-A", "2"]].flat()).end();
    case "/length":
      return void response.writeHead(200, { "content-length": 9000 }).end(request.method === "HEAD" ? undefined : "x".repeat(9000));
    case "/chunks":
      response.write("one ");
      return void response.end("two");
    case "/status":
      return void response.writeHead(Number(searchParams.get("code"))).end();
    case "/unread":
      return void response.writeHead(401, { "www-authenticate": "Basic" }).end("who is it?");
    case "/throw":
      throw new Error("as asked");
    case "/back":
      response.writeHead(200, { "content-type": request.headers["content-type"] });
      return void request.pipe(response);
    case "/digest": {
      const hash = createHash("sha256");
      let size = 0;
      for await (const part of request) (hash.update(part), size += part.length);
      return void response.end(JSON.stringify({ size, sha256: hash.digest("hex"), framing: request.headers["content-length"] ?? request.headers["transfer-encoding"] }));
    }
    default:
      response.end(JSON.stringify({ target: request.url, fields: request.rawHeaders, body: await text(request) }));
  }
}).listen(process.env.PORT);
`;

/** Names and values in turn, as Node takes them to keep spelling, order and repetition. */
type Fields = NonNullable<RequestOptions["headers"]>;

interface Seen {
  readonly target: string;
  readonly fields: readonly string[];
  readonly body: string;
}

describe("over HTTP", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    const image = await ensureImage("node", { files: { "/app/server.mjs": { content: mirror } }, config: { cmd: ["node", "/app/server.mjs"], exposed: [8080] } });
    await test.fleet.deploy(component("x", image));
  });
  afterAll(() => test.close());

  /** Asks with a path as it stands, which `fetch` would tidy. */
  async function ask(path: string, options: RequestOptions = {}, body: Uint8Array | string = ""): Promise<IncomingMessage & { readonly bytes: Buffer }> {
    const asked = request(test.url, { method: "GET", ...options, path }).end(body);
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    return Object.assign(answer, { bytes: await buffer(answer) });
  }
  const seen = async (path: string, options?: RequestOptions, body?: string) => JSON.parse((await ask(path, options, body)).bytes.toString()) as Seen;
  const valuesOf = (fields: readonly string[], name: string) => fields.filter((_, index) => index % 2 === 1 && fields[index - 1]?.toLowerCase() === name);

  it.each([["/f/x", "/"], ["/f/x/", "/"], ["/f/x//a%2Fb?q=1&q=2", "//a%2Fb?q=1&q=2"], ["/f/x/a/../b/", "/a/../b/"]])("the path %s reaches the image as %s", async (path, target) => {
    expect(await seen(path, { method: "POST" }, "tide")).toMatchObject({ target, body: "tide" });
  });

  it("repeated fields stay separate and in order, both ways", async () => {
    const headers = ["X-A", "1", "Cookie", "a=1", "X-A", "2, 3", "Cookie", "b=2"];
    const { fields } = await seen("/f/x/", { headers: ["Host", "fn.example", ...headers] as unknown as Fields });
    expect([valuesOf(fields, "x-a"), valuesOf(fields, "cookie"), valuesOf(fields, "host")]).toEqual([["1", "2, 3"], ["a=1", "b=2"], ["fn.example"]]);
    const { rawHeaders } = await ask("/f/x/fields");
    expect([valuesOf(rawHeaders, "set-cookie"), valuesOf(rawHeaders, "x-a")]).toEqual([["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"], ["1", "2"]]);
  });

  it("a HEAD has no body, its length where the function names one, and never a false one", async () => {
    const [length, chunks] = [await ask("/f/x/length", { method: "HEAD" }), await ask("/f/x/chunks", { method: "HEAD" })];
    expect([length.headers["content-length"], length.bytes.length]).toEqual(["9000", 0]);
    expect([chunks.headers["content-length"], chunks.bytes.length]).toEqual([undefined, 0]);
  });

  it("a length stays a length, chunks stay chunks, and what has no body has no framing", async () => {
    const framing = async (path: string) => {
      const { headers, bytes } = await ask(path);
      return [headers["content-length"], headers["transfer-encoding"], bytes.length];
    };
    expect(await framing("/f/x/length")).toEqual(["9000", undefined, 9000]);
    expect(await framing("/f/x/status?code=204")).toEqual([undefined, undefined, 0]);
    expect(await framing("/f/x/status?code=304")).toEqual([undefined, undefined, 0]);
  });

  it.each([200_000, 50_000_000])("a PUT of %i bytes in chunks arrives byte for byte", async (size) => {
    const bytes = randomBytes(size);
    const answer = await ask("/f/x/digest", { method: "PUT", headers: { "transfer-encoding": "chunked" } }, bytes);
    expect(JSON.parse(answer.bytes.toString())).toEqual({ size, sha256: createHash("sha256").update(bytes).digest("hex"), framing: "chunked" });
  });

  it("a body that awaits `100 Continue` is asked for at once, and refused before it is sent where it is too large", async () => {
    const expecting = (length: number) => request(test.url, { method: "PUT", path: "/f/x/digest", headers: { expect: "100-continue", "content-length": length } });
    const small = expecting(2048);
    small.flushHeaders();
    await once(small, "continue");
    const [answer] = (await once(small.end(Buffer.alloc(2048)), "response")) as [IncomingMessage];
    expect(JSON.parse((await buffer(answer)).toString())).toMatchObject({ size: 2048, framing: "2048" });
    const large = expecting(2 ** 40);
    large.flushHeaders();
    const first = await new Promise((resolve) => void large.on("continue", () => { resolve("continue"); }).on("response", ({ statusCode }) => { resolve(statusCode); }));
    expect(first).toBe(413);
    large.destroy();
  });

  it("an answer that comes before 20 MB were read is the caller's", async () => {
    const answer = await fetch(`${test.url}/f/x/unread`, { method: "POST", body: new Uint8Array(20_000_000) });
    expect([answer.status, answer.headers.get("www-authenticate"), await answer.text()]).toEqual([401, "Basic", "who is it?"]);
  });

  it("through a chain of 66 functions, each handing on what it was given, the head grows by the hops in X-Forwarded-For and nothing else", async () => {
    const first: readonly string[] = ["Host", "fn.example", "X-A", "1"];
    let fields = first;
    for (let link = 0; link < 66; link += 1) {
      const handedOn = fields.filter((_, index) => fields[index - (index % 2)]?.toLowerCase() !== "connection");
      ({ fields } = await seen("/f/x/", { headers: handedOn as unknown as Fields }));
    }
    const names = (list: readonly string[]) => list.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()).sort();
    expect(names(fields)).toEqual(names((await seen("/f/x/", { headers: [...first, "Content-Length", "0"] as unknown as Fields })).fields));
    expect(valuesOf(fields, "x-forwarded-for")).toEqual([Array(66).fill("127.0.0.1").join(", ")]);
  });

  it("a field of 60 KB is refused as too large", async () => {
    expect((await ask("/f/x/", { headers: { "x-large": "x".repeat(60_000) } })).statusCode).toBe(431);
  });

  it("bytes are bytes, JSON is JSON, and a crash is told as one", async () => {
    const bytes = Buffer.from([0x00, 0xff, 0x80, 0x0a]);
    const octets = await ask("/f/x/back", { method: "POST", headers: { "content-type": "application/octet-stream" } }, bytes);
    expect([octets.headers["content-type"], octets.bytes]).toEqual(["application/octet-stream", bytes]);
    const json = await ask("/f/x/back", { method: "POST", headers: { "content-type": "application/json" } }, '{"tide": 1.0}');
    expect([json.headers["content-type"], json.bytes.toString()]).toEqual(["application/json", '{"tide": 1.0}']);
    const crash = await ask("/f/x/throw");
    expect([crash.statusCode, crash.bytes.toString()]).toEqual([502, expect.stringMatching(/exited with code 1[^]*as asked/)]);
  });
});
