import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { FunctionDocument } from "@longshore/protocol";
import { CloudEvent, HTTP, type Message } from "cloudevents";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureHandler, busyboxCommand, coreutil, fastify, forkingServer, functionsFramework, nginxLight, pythonServer } from "../support/components.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";

const sites = ["plant", "cloud"] as const;
const run = promisify(execFile);

describe("at each site runs, as its makers left it,", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites });
  });
  afterAll(() => test.close());

  /** Deploys, has the check done at each site, and removes. */
  async function atEachSite(document: FunctionDocument, expected: { contract: string; because: string }, check: (get: (path: string, init?: RequestInit) => Promise<Response>, site: string) => Promise<void>): Promise<void> {
    const deployed = await test.fleet.deploy(document);
    expect({ contract: deployed.function.contract, because: deployed.contractBecause }).toEqual(expected);
    for (const site of sites) {
      const get = async (path: string, { headers, ...init }: RequestInit = {}) => {
        const response = await fetch(`${test.url}/f/${document.name}${path}`, { ...init, headers: { ...(headers as Record<string, string> | undefined), "longshore-where": `site=${site}` } });
        expect(response.headers.get("longshore-site")).toBe(site);
        return response;
      };
      await check(get, site);
    }
    await test.fleet.remove(document.name);
  }

  const framework = { contract: "http", because: "the image sets FUNCTION_TARGET, so that it carries a functions framework" };
  const event = new CloudEvent({ type: "plant.reading", source: "/plant", data: { word: "tide" } });
  const post = ({ headers, body }: Message): RequestInit => ({ method: "POST", headers: headers as Record<string, string>, body: body as string });

  it("a function of Google's functions framework", async () => {
    await atEachSite(await functionsFramework("hello", "hello", "http"), framework, async (get) => {
      const response = await get("/tides?day=1", { method: "PUT", headers: { "content-type": "application/json" }, body: '{"a":1}' });
      expect(await response.json()).toEqual({ method: "PUT", path: "/tides?day=1", body: { a: 1 }, service: "hello" });
    });
  });

  it("an event function of it, and one for CloudEvents", async () => {
    await atEachSite(await functionsFramework("on-legacy", "onLegacyEvent", "event"), framework, async (get) => {
      const legacy = (word: string) => get("/", post({ headers: { "content-type": "application/json" }, body: JSON.stringify({ context: { eventId: "1", eventType: "plant.reading", timestamp: "2026-01-01T00:00:00Z", resource: "x" }, data: { word } }) }));
      expect([(await legacy("tide")).status, (await legacy("ebb")).status]).toEqual([204, 500]);
    });
    await atEachSite(await functionsFramework("on-event", "onEvent", "cloudevent"), framework, async (get) => {
      const statuses = [HTTP.binary(event), HTTP.structured(event), HTTP.binary(event.cloneWith({ type: "other" }))].map(async (message) => (await get("/", post(message))).status);
      expect(await Promise.all(statuses)).toEqual([204, 204, 500]);
    });
  });

  it("fastify", async () => {
    await atEachSite(await fastify("shop"), { contract: "http", because: "the image exposes port 3000" }, async (get) => {
      expect(await (await get("/hello/a%20b?from=here")).json()).toEqual({ hello: "a b", from: "here" });
      expect(await (await get("/sum", { method: "POST", headers: { "content-type": "application/json" }, body: "[1,2,3]" })).json()).toEqual({ sum: 6 });
      expect((await get("/sum", { method: "POST", headers: { "content-type": "application/json" }, body: '"x"' })).status).toBe(400);
    });
  });

  it("Debian's nginx-light", async () => {
    await atEachSite(await nginxLight("pages"), { contract: "http", because: "the image exposes port 80" }, async (get) => {
      const page = await get("/");
      expect([page.status, page.headers.get("content-type"), await page.text()]).toEqual([200, "text/html", "<h1>tide</h1>\n"]);
      const part = await get("/", { headers: { range: "bytes=4-7" } });
      expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, "bytes 4-7/14", "tide"]);
      const again = await get("/", { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
      expect([again.status, await again.text()]).toEqual([304, ""]);
      const head = await get("/", { method: "HEAD" });
      expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "14", ""]);
      expect((await get("/none")).status).toBe(404);
    });
  });

  it("Python's http.server", async () => {
    await atEachSite(await pythonServer("files"), { contract: "http", because: "the image exposes port 8000" }, async (get) => {
      expect(await (await get("/tide.txt")).text()).toBe("high\n");
      expect((await get("/none")).status).toBe(404);
    });
  });

  it("busybox's httpd, which forks a process for each request, called by curl", async () => {
    await atEachSite(await forkingServer("cgi"), { contract: "http", because: "the image exposes port 8080" }, async (get, site) => {
      expect(await (await get("/")).text()).toBe("tide\n");
      const { stdout } = await run("curl", ["-sS", "-H", `Longshore-Where: site=${site}`, "-H", "X-Tide: high", "--data-binary", "12345", `${test.url}/f/cgi/cgi-bin/tide?a=b`]);
      expect(stdout).toBe("POST high a=b\n5\n");
    });
  });

  describe("a command:", () => {
    const stdio = { contract: "stdio", because: "the image exposes no port" };
    const text = "one two\nthree\n".repeat(3);
    const commands: [string, () => Promise<FunctionDocument>, string | RegExp][] = [
      ["GNU's wc", () => coreutil("wc", "wc", "-w"), "9\n"],
      ["GNU's sort", () => coreutil("sort", "sort", "-u"), "one two\nthree\n"],
      ["GNU's head, which reads no more than it needs", () => coreutil("head", "head", "-n", "1"), "one two\n"],
      ["busybox's tr", () => busyboxCommand("tr", "tr", "a-z", "A-Z"), text.toUpperCase()],
      ["busybox's date, which reads nothing", () => busyboxCommand("date", "date", "+%Y"), /^20\d\d\n$/],
    ];

    it.each(commands)("%s", async (_, document, expected) => {
      await atEachSite(await document(), stdio, async (get) => {
        const response = await get("/", { method: "POST", body: text });
        expect(response.headers.get("longshore-result") ?? "succeeded").toBe("succeeded");
        expect(await response.text()).toEqual(typeof expected === "string" ? expected : expect.stringMatching(expected));
      });
    });
  });

  describe("an Azure custom handler,", () => {
    const azure = { contract: "azure", because: "the image sets FUNCTIONS_WORKER_RUNTIME=custom" };

    it("with its requests in envelopes", async () => {
      await atEachSite(await azureHandler("greeter", { azureFunction: "HttpExample" }), azure, async (get) => {
        const response = await get("/?name=you", { method: "POST", body: "hi" });
        expect([response.status, response.headers.get("x-handler"), await response.text()]).toEqual([201, "enveloped", "Hello, you: hi"]);
        expect(await (await get("/api/HttpExample?name=me")).text()).toBe("Hello, me: nothing");
        const unknown = await get("/api/Other");
        expect([unknown.status, unknown.headers.get("longshore-result"), await unknown.text()]).toEqual([502, "failed", "no such function"]);
      });
    });

    it("with another trigger's payload", async () => {
      const document = await azureHandler("worker", { azureFunction: "QueueExample", azureTrigger: "item" });
      await test.fleet.deploy(document);
      for (const site of sites) expect(await test.fleet.invoke("worker", "tide", { where: { site } })).toBe("TIDE");
      await test.fleet.remove("worker");
    });

    it("with its requests as they are", async () => {
      const document = await azureHandler("forwarded", { env: { AzureFunctionsJobHost__customHandler__enableForwardingHttpRequest: "true" } });
      await atEachSite(document, azure, async (get) => {
        const response = await get("/x%2Fy?q", { method: "PATCH", body: "hi" });
        expect([response.status, response.headers.get("x-handler"), await response.text()]).toEqual([202, "forwarded", "PATCH /api/forwarded/x%2Fy?q hi"]);
      });
    });
  });
});
