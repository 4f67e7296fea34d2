import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let folder: string;
let rig: HttpRig;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-console-"));
  mkdirSync(join(folder, "assets"));
  writeFileSync(join(folder, "index.html"), "<!doctype html>page");
  writeFileSync(join(folder, "fingerprint"), "secret");
  writeFileSync(join(folder, "assets", "main-ABC.js"), "script();");
  writeFileSync(join(folder, "assets", "notes.txt"), "not for the web");
});
afterEach(async () => {
  await rig.close();
  rmSync(folder, { recursive: true });
});

describe("a broker with the console's bundle", () => {
  beforeEach(async () => {
    rig = await startHttpRig({ x: (invocation) => invocation.complete("hi", { status: 200, headers: [], result: { outcome: "succeeded", status: 200 } }) }, { consoleFolder: folder, trustsLoopback: false });
  });

  it("answers its address, and every path below /console, with the page, to anybody", async () => {
    for (const path of ["/", "/console", "/console/", "/console/functions/x?tab=try", "/console/assets"]) {
      const answer = await rig.send({ path });
      expect([answer.status, answer.body.toString(), answer.headers["content-type"]], path).toEqual([200, "<!doctype html>page", "text/html; charset=utf-8"]);
    }
  });

  it("gives the page no right beyond this broker: no inline code, no frame, no markup from text", async () => {
    const { headers } = await rig.send({ path: "/" });
    const policy = String(headers["content-security-policy"]);
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]) expect(policy).toContain(rule);
    expect(policy).not.toContain("unsafe");
    expect(headers).toMatchObject({ "x-content-type-options": "nosniff", "x-frame-options": "DENY", "cross-origin-opener-policy": "same-origin", "cache-control": "no-cache" });
    expect(headers["set-cookie"]).toBeUndefined();
  });

  it("serves the files of the bundle for good, and no other file of the folder or the machine", async () => {
    const answer = await rig.send({ path: "/console/assets/main-ABC.js" });
    expect([answer.status, answer.body.toString()]).toEqual([200, "script();"]);
    expect(answer.headers).toMatchObject({ "cache-control": "public, max-age=31536000, immutable", "content-type": "text/javascript; charset=utf-8" });
    for (const name of ["notes.txt", "../fingerprint", "..%2ffingerprint", "../../../../etc/passwd", "", "__proto__"]) {
      const other = await rig.send({ path: `/console/assets/${name}` });
      expect([other.status, other.json()["reason"]], name).toEqual([404, "route_not_found"]);
    }
  });

  it("sends what a browser has already not again, and compresses for those who can read that", async () => {
    const plain = await rig.send({ path: "/" });
    const zipped = await rig.send({ path: "/", headers: { "accept-encoding": "br, gzip" } });
    expect(gunzipSync(zipped.body).toString()).toBe(plain.body.toString());
    expect([zipped.headers["content-encoding"], zipped.headers.vary]).toEqual(["gzip", "Accept-Encoding"]);
    expect(zipped.headers.etag).not.toBe(plain.headers.etag);
    const again = await rig.send({ path: "/", headers: { "if-none-match": `"other", ${String(plain.headers.etag)}` } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it("takes GET and HEAD only", async () => {
    const head = await rig.send({ method: "HEAD", path: "/console/assets/main-ABC.js" });
    expect([head.status, head.headers["content-length"], head.body.length]).toEqual([200, "9", 0]);
    expect((await rig.send({ method: "POST", path: "/console/fleet" })).json()).toMatchObject({ reason: "method_not_allowed" });
  });

  it("still answers the API and function URLs as before", async () => {
    expect((await rig.send({ path: "/v1/agents" })).status).toBe(401);
    expect((await rig.send({ path: "/consoles" })).json()).toMatchObject({ reason: "route_not_found" });
  });
});

describe("a broker without it", () => {
  it.each([undefined, "/nowhere"])("says at its address how to build it (%s)", async (missing) => {
    rig = await startHttpRig({}, { consoleFolder: missing });
    const answer = await rig.send({ path: "/" });
    expect([answer.status, answer.headers["content-type"]]).toEqual([404, "text/plain; charset=utf-8"]);
    expect(answer.body.toString()).toMatch(/^The console is not built here: run npm start/);
  });
});
