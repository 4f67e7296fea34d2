import { afterEach, describe, expect, it } from "vitest";
import { goodKey, type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
const start = async (options?: Parameters<typeof startHttpRig>[1]) => {
  rig = await startHttpRig({ x: (invocation) => { invocation.complete("ok"); } }, options);
};
afterEach(async () => {
  expect((await rig.send({ path: "/healthz" })).status, "the process must stay up").toBe(200);
  await rig.close();
});

const unreachable = () => Promise.reject(new Error("nothing must be looked up"));
const badNames = ["a.b", "*", "%3E", "a%20b", "%00", "A", "a".repeat(300), "%D0%B0", "__proto__"];

describe("bad input over HTTP", () => {
  it.each(badNames)("refuses the function name %s, naming the field, before anything is invoked", async (name) => {
    await start();
    for (const path of [`/f/${name}/`, `/v1/functions/${name}/invocations`]) {
      const answer = await rig.send({ method: "POST", path });
      expect(answer).toMatchObject({ status: 400 });
      expect(answer.json()).toMatchObject({ reason: "bad_name", field: "function" });
    }
    expect(rig.invoker.invocations).toHaveLength(0);
  });

  it.each([
    ["longshore-invocation-id", "not-a-uuid", "Longshore-Invocation-Id"],
    ["longshore-where", "site=a.b", "Longshore-Where"],
    ["longshore-where", "color=red", "Longshore-Where"],
    ["longshore-deadline-ms", "0", "Longshore-Deadline-Ms"],
    ["longshore-deadline-ms", "-1", "Longshore-Deadline-Ms"],
    ["longshore-deadline-ms", "NaN", "Longshore-Deadline-Ms"],
    ["longshore-deadline-ms", "5m; rm", "Longshore-Deadline-Ms"],
    ["longshore-deadline-ms", "99999999", "Longshore-Deadline-Ms"],
  ])("refuses %s: %s, naming the header", async (name, value, field) => {
    await start();
    const answer = await rig.send({ path: "/f/x/", headers: { [name]: value } });
    expect(answer).toMatchObject({ status: 400 });
    expect(answer.json()).toMatchObject({ field });
  });

  it("refuses a body over the limit early, and one that grows over it", async () => {
    await start({ limits: { bodyBytes: 1000 } });
    expect(await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000000\r\n\r\n")).toMatch(/^HTTP\/1.1 413/);
    expect(await rig.raw(`POST /f/x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${"a".repeat(2000)}\r\n0\r\n\r\n`)).toMatch(/^HTTP\/1.1 (413|200)/);
  });

  it("refuses a lying or doubled length", async () => {
    await start();
    expect(await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na")).toMatch(/^HTTP\/1.1 400/);
    expect(await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
  });

  it("cuts headers that are too large or too many with 431", async () => {
    await start();
    expect(await rig.raw(`GET /f/x/ HTTP/1.1\r\nHost: x\r\nX-Large: ${"a".repeat(60 * 1024)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/);
    const many = Array.from({ length: 2000 }, (_, index) => `X-${index}: 1\r\n`).join("");
    expect(await rig.raw(`GET /f/x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${many}\r\n`)).toMatch(/^HTTP\/1.1 431/);
  });

  it("refuses line breaks and control characters in headers", async () => {
    await start();
    expect(await rig.raw("GET /f/x/ HTTP/1.1\r\nHost: x\r\nX-A: a\rInjected: 1\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await rig.raw("GET /f/x/ HTTP/1.1\r\nHost: x\r\nX A: 1\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await rig.raw("NOT HTTP\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
  });

  it("cuts a body that stops coming", async () => {
    await start({ limits: { bodyIdleMs: 60 } });
    expect(await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc")).toMatch(/^HTTP\/1.1 408/);
  });

  it("cuts headers that stop coming", async () => {
    await start({ limits: { headerMs: 100 } });
    expect(await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\n")).toMatch(/^HTTP\/1.1 408/);
  });

  it.each([
    ["not JSON", "{", "body"],
    ["not an object", "[]", "body"],
    ["too deep", "[".repeat(200_000), "body"],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "body"],
    ["another name", '{"name":"other"}', "name"],
  ])("refuses a document that is %s, naming the field", async (_, body, field) => {
    await start();
    const answer = await rig.send({ method: "PUT", path: "/v1/functions/x", body });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ field });
  });

  it("refuses a document over a mebibyte", async () => {
    await start();
    expect(await rig.raw(`PUT /v1/functions/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${2 ** 20 + 1}\r\n\r\n`)).toMatch(/^HTTP\/1.1 (413|400)/);
  });

  it("knows paths and methods, and says which", async () => {
    await start();
    expect((await rig.send({ path: "/v2/x" })).json()).toMatchObject({ status: 404, reason: "route_not_found" });
    expect((await rig.send({ method: "DELETE", path: "/v1/agents" })).json()).toMatchObject({ status: 405, reason: "method_not_allowed" });
  });

  it("answers an id that is none exactly like an unknown one", async () => {
    await start({ parts: { invocations: { view: unreachable, cancel: unreachable, result: unreachable } } });
    expect((await rig.send({ path: "/v1/invocations/..%2f" })).json()).toMatchObject({ status: 404, reason: "invocation_not_found" });
  });

  it("wants a key off loopback, and tells a wrong one", async () => {
    await start({ trustsLoopback: false });
    expect((await rig.send({ path: "/f/x/" })).json()).toMatchObject({ status: 401, reason: "key_missing" });
    expect((await rig.send({ path: "/f/x/", headers: { authorization: "Bearer lsk_bad" } })).json()).toMatchObject({ status: 401, reason: "token_invalid" });
    expect((await rig.send({ path: "/f/x/", headers: { authorization: `Bearer ${goodKey}` } })).status).toBe(200);
  });

  it("refuses a page of another site that asks without a key", async () => {
    await start();
    expect((await rig.send({ path: "/f/x/", headers: { origin: "https://evil.example" } })).json()).toMatchObject({ status: 403, reason: "not_allowed" });
    expect((await rig.send({ path: "/f/x/", headers: { origin: `http://127.0.0.1:${rig.port}` } })).status).toBe(200);
  });

  it("refuses what a browser sends for another site without an origin, where it changes something", async () => {
    await start();
    const send = (method: string, site: string) => rig.send({ method, path: "/f/x/", headers: { "sec-fetch-site": site } });
    for (const site of ["cross-site", "same-site"]) expect((await send("POST", site)).json()).toMatchObject({ status: 403, reason: "not_allowed" });
    expect([(await send("POST", "same-origin")).status, (await send("POST", "none")).status, (await send("GET", "cross-site")).status]).toEqual([200, 200, 200]);
    expect((await rig.send({ method: "POST", path: "/f/x/", headers: { "sec-fetch-site": "cross-site", "authorization": `Bearer ${goodKey}` } })).status).toBe(200);
  });

  it("tells nothing of the fleet to a page under a name that was made to lead here, which sends no origin when it only reads", async () => {
    await start({ parts: { functions: { page: () => ({ functions: [] }) } as never }, allowedOrigins: ["https://app.example"] });
    const read = (host: string, more = {}) => rig.send({ path: "/v1/functions", headers: { host, ...more } });
    expect((await read(`evil.example:${rig.port}`)).json()).toMatchObject({ status: 403, reason: "not_allowed" });
    for (const host of [`127.0.0.1:${rig.port}`, "localhost", `[::1]:${rig.port}`, "fleet.localhost", "app.example"]) expect((await read(host)).status, host).toBe(200);
    expect((await read("fleet.example", { authorization: `Bearer ${goodKey}` })).status).toBe(200);
  });

  it("says what it speaks", async () => {
    await start();
    const document = (await rig.send({ path: "/openapi.json" })).json() as { openapi: string; paths: Record<string, Record<string, { requestBody?: unknown }>> };
    expect(document.openapi).toBe("3.1.0");
    expect(document.paths["/v1/functions/{fn}"]?.["put"]?.requestBody).toBeDefined();
  });
});
