import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { createFleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser, type TestBrowser } from "../support/browser.ts";
import { exampleDocument } from "../support/examples.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { webApplication } from "../support/web-app.ts";

const portOf = (server: Server) => (server.address() as AddressInfo).port;

/** What the page has loaded. */
interface Sdk {
  readonly createFleet: typeof createFleet;
}

describe("a page in a browser, which is itself a function", () => {
  let test: TestFleet;
  let browser: TestBrowser;
  let foreign: Server;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: 60_000 }));
    await test.fleet.deploy(await exampleDocument("echo-ws"));
    await test.fleet.deploy(await webApplication("page"));
    foreign = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<title>elsewhere</title>"));
    await new Promise<void>((resolve) => foreign.listen(0, "127.0.0.1", resolve));
    browser = await startBrowser([Number(new URL(test.url).port), portOf(foreign)]);
    await browser.page.goto(`${test.url}/f/page/`);
    await browser.page.waitForFunction(() => "sdk" in globalThis);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    foreign.close();
    await test.close();
  });

  it("fetches: an answer part by part, a body that it sends, a status that is no success", async () => {
    const told = await browser.page.evaluate(async () => {
      const parts: string[] = [];
      const reader = (await fetch("/f/lab/events?n=3&ms=300")).body?.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) parts.push(part.value);
      const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => at % 251);
      const echoed = new Uint8Array(await (await fetch("/f/lab/echo", { method: "POST", body: bytes })).arrayBuffer());
      const { status } = await fetch("/f/lab/status?code=418");
      return { parts, same: echoed.length === bytes.length && echoed.every((byte, at) => byte === bytes[at]), status };
    });
    expect(told).toEqual({ parts: ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"], same: true, status: 418 });
  });

  it("hears an event stream, and speaks over a WebSocket", async () => {
    const events = await browser.page.evaluate(() => {
      const source = new EventSource("/f/lab/events?n=3&ms=20");
      return new Promise<string[]>((resolve) => {
        const heard: string[] = [];
        source.addEventListener("message", ({ data }) => {
          heard.push(String(data));
        });
        source.addEventListener("error", () => {
          source.close(); // The stream is over; it would be opened again.
          resolve(heard);
        });
      });
    });
    expect(events).toEqual(["1", "2", "3"]);
    const echoed = await browser.page.evaluate(() => {
      const socket = new WebSocket(`${location.origin.replace("http", "ws")}/f/echo-ws/`);
      socket.addEventListener("open", () => socket.send("high tide"));
      return new Promise<string>((resolve, reject) => {
        socket.addEventListener("error", () => reject(new Error("the socket failed")));
        socket.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
        socket.addEventListener("message", ({ data }) => {
          resolve(String(data));
          socket.close();
        });
      });
    });
    expect(echoed).toBe("high tide");
  });

  it("invokes by the SDK over the broker's socket, streams both ways, and gives up", async () => {
    const told = await browser.page.evaluate(async () => {
      const { createFleet } = (globalThis as unknown as { readonly sdk: Sdk }).sdk;
      const fleet = createFleet({ url: location.origin, transport: "websocket" });
      const echoed = await (await fleet.call("lab", new Blob(["high ", "tide"]).stream(), { path: "/echo" })).text();
      let parts = 0;
      for await (const _ of (await fleet.call("lab", undefined, { method: "GET", path: "/events?n=3&ms=300" })).body as unknown as AsyncIterable<Uint8Array>) parts += 1;
      const leaving = new AbortController();
      const answer = await fleet.call("lab", undefined, { method: "GET", path: "/events?n=1000&ms=100", signal: leaving.signal });
      leaving.abort();
      const end = await answer.result.then(({ outcome }) => outcome as string, (error: unknown) => (error as { reason?: string }).reason);
      const failure = await fleet.invoke("nothing", "x").catch((error: unknown) => (error as { reason?: string }).reason);
      await fleet.close();
      return { echoed, parts, end, failure };
    });
    expect(told).toEqual({ echoed: "high tide", parts: 3, end: "cancelled", failure: "function_not_found" });
  });

  it("of another origin gets nothing from a fleet that trusts its own machine", async () => {
    await test.fleet.call("lab", undefined, { method: "GET" });
    const page = await browser.page.context().newPage();
    await page.goto(`http://127.0.0.1:${portOf(foreign)}/`);
    const before = (await test.fleet.get("lab")).revision;
    const told = await page.evaluate(async (url) => {
      const read = await fetch(`${url}/f/lab/request`).then(() => "read", () => "refused");
      const sent = await fetch(`${url}/v1/functions/lab`, { method: "DELETE" }).then(() => "sent", () => "refused");
      const blind = await fetch(`${url}/f/lab/exit`, { method: "POST", mode: "no-cors" }).then(() => "sent unread");
      return { read, sent, blind };
    }, test.url);
    await page.close();
    expect(told).toEqual({ read: "refused", sent: "refused", blind: "sent unread" });
    expect((await test.fleet.get("lab")).revision).toBe(before);
    expect((await test.fleet.call("lab", undefined, { method: "GET" })).start).toBe("warm"); // What was sent unread ran nothing: its instance lives.
  });
});
