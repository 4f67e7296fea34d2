import { chunkBytes, createInvocationId, LongshoreError } from "@longshore/protocol";
import { once } from "node:events";
import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import type { Script } from "../invocation/testing/fake-invoker.ts";
import { goodKey, type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
const start = async (script: Script, options?: Parameters<typeof startHttpRig>[1]) => {
  rig = await startHttpRig({ x: script }, options);
  return rig;
};
afterEach(() => rig.close());

const where = { siteId: "plant", agentId: "a1", revisionId: "x-r1", start: "warm" } as const;

describe("a function URL", () => {
  it.each([
    ["/f/x", "/"],
    ["/f/x/", "/"],
    ["/f/x//a%2Fb?q=1&q=2", "//a%2Fb?q=1&q=2"],
    ["/f/x?a", "/?a"],
    ["/f/x/../y/%00", "/../y/%00"],
    ["http://other.example/f/x/p", "/p"],
  ])("hands on %s as %s", async (path, target) => {
    await start((invocation) => { invocation.complete(invocation.request.request.target); });
    expect((await rig.send({ path })).body.toString()).toBe(target);
  });

  it("lets no script of a function stand before pages of another path", async () => {
    await start((invocation) => { invocation.complete("sw", { status: 200, headers: [["Service-Worker-Allowed", "/"], ["X-Own", "1"]], result: { outcome: "succeeded", status: 200 } }); });
    const { headers } = await rig.send({ path: "/f/x/sw.js" });
    expect([headers["service-worker-allowed"], headers["x-own"]]).toEqual([undefined, "1"]);
  });

  it("hands on any method, headers in order and as they stood, without ours and the connection's", async () => {
    await start((invocation) => { invocation.complete(JSON.stringify(invocation.request.request)); });
    const text = await rig.raw(
      "PATCH /f/x/ HTTP/1.1\r\nHost: fn.example\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=b\r\nLongshore-Foo: x\r\nNats-Trace-Dest: y\r\nConnection: close, X-Gone\r\nX-Gone: z\r\nTE: trailers\r\nAuthorization: Basic Zg==\r\nContent-Length: 2\r\n\r\nhi",
    );
    const seen = JSON.parse(text.slice(text.indexOf("{"))) as { method: string; headers: [string, string][] };
    expect(seen.method).toBe("PATCH");
    expect(seen.headers).toEqual([
      ["Host", "fn.example"], ["X-A", "1"], ["x-a", "2"], ["Cookie", "a=b"], ["Authorization", "Basic Zg=="],
      ["X-Forwarded-For", "127.0.0.1"], ["X-Forwarded-Proto", "http"], ["X-Forwarded-Host", "fn.example"],
    ]);
  });

  it("never hands our own key to a function", async () => {
    await start((invocation) => { invocation.complete(JSON.stringify(invocation.request)); });
    const answer = await rig.send({ path: "/f/x/", headers: { authorization: `Bearer ${goodKey}` } });
    expect(answer.json()).toMatchObject({ tenantId: "acme" });
    expect(answer.body.toString()).not.toContain(goodKey);
  });

  it("answers with status, headers in order and repeated, and where it ran", async () => {
    await start((invocation) => {
      invocation.complete("made", { ...where, status: 201, headers: [["Set-Cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"], ["Set-Cookie", "b=2"], ["X-A", "1"], ["X-A", "2"], ["Longshore-Site", "forged"]], result: { outcome: "succeeded", status: 201 } });
    });
    const id = createInvocationId();
    const answer = await rig.send({ path: "/f/x/", headers: { "longshore-invocation-id": id } });
    expect(answer).toMatchObject({ status: 201, headers: { "longshore-site": "plant", "longshore-agent": "a1", "longshore-revision": "x-r1", "longshore-start": "warm", "longshore-result": "succeeded", "longshore-invocation-id": id, "content-length": "4" } });
    expect(answer.headers["set-cookie"]).toEqual(["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2"]);
    expect(answer.rawHeaders.filter((_, index, all) => all[index - 1] === "X-A")).toEqual(["1", "2"]);
  });

  it("tells a function's own 5xx from ours", async () => {
    await start((invocation) => { invocation.complete("oops", { ...where, status: 503, result: { outcome: "failed", status: 503 } }); });
    expect(await rig.send({ path: "/f/x/" })).toMatchObject({ status: 503, headers: { "longshore-result": "failed" } });
  });

  it.each([
    [{ outcome: "failed", exitCode: 3, stderrTail: "boom" }, 502],
    [{ outcome: "timed_out" }, 504],
    [{ outcome: "oom_killed" }, 502],
    [{ outcome: "lost" }, 504],
    [{ outcome: "cancelled" }, 499],
  ] as const)("answers %j with %i and the evidence", async (result, status) => {
    await start((invocation) => { invocation.complete("part", { ...where, result }); });
    const answer = await rig.send({ path: "/f/x/" });
    expect(answer).toMatchObject({ status, headers: { "longshore-result": result.outcome, "content-type": "application/problem+json" } });
    expect(answer.json()["result"]).toEqual(result);
  });

  it("answers HEAD without a body and with the function's own length", async () => {
    await start((invocation) => { invocation.complete("", { status: 200, headers: [["Content-Length", "5000"]], result: { outcome: "succeeded", status: 200 } }); });
    const text = await rig.raw("HEAD /f/x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(text).toContain("Content-Length: 5000");
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  it("answers HEAD on a streamed answer without a body and without a false length", async () => {
    await start(async (invocation) => {
      invocation.head({ status: 200 });
      await invocation.send(new Uint8Array(1000));
      invocation.end();
    });
    const text = await rig.raw("HEAD /f/x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(text).not.toContain("Content-Length");
    expect(text.endsWith("\r\n\r\n")).toBe(true);
  });

  it.each([204, 304])("sends no framing with %i", async (status) => {
    await start((invocation) => { invocation.complete("", { status, result: { outcome: "succeeded", status } }); });
    const text = await rig.raw("GET /f/x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    expect(text).not.toMatch(/content-length|transfer-encoding/i);
  });

  it("keeps a known length, and chunks an unknown one with the result in the trailer", async () => {
    await start(async (invocation) => {
      invocation.head({ status: 200, headers: invocation.request.request.target === "/known" ? [["Content-Length", "3"]] : [] });
      await invocation.send(Buffer.from("abc"));
      invocation.end({ result: { outcome: "succeeded", status: 200 } });
    });
    expect((await rig.send({ path: "/f/x/known" })).headers).toMatchObject({ "content-length": "3" });
    const chunked = await rig.send({ path: "/f/x/" });
    expect(chunked.headers["transfer-encoding"]).toBe("chunked");
    expect(chunked.trailers).toEqual({ "longshore-result": "succeeded" });
    expect(chunked.body.toString()).toBe("abc");
  });

  it("breaks the connection when the function fails midway", async () => {
    await start(async (invocation) => {
      invocation.head({ status: 200 });
      await invocation.send(Buffer.from("part"));
      invocation.end({ result: { outcome: "timed_out" } });
    });
    await expect(rig.send({ path: "/f/x/" })).rejects.toThrow();
  });

  it("keeps the head of a stdio answer until its outcome is known", async () => {
    await start(async (invocation) => {
      invocation.head();
      await invocation.send(Buffer.from("half an answer"));
      invocation.end({ result: { outcome: "failed", exitCode: 2, stderrTail: "no such file" } });
    });
    const answer = await rig.send({ path: "/f/x/" });
    expect(answer.status).toBe(502);
    expect(answer.json()["result"]).toMatchObject({ exitCode: 2, stderrTail: "no such file" });
  });

  it("streams a stdio answer at once to a caller that reads trailers, and one of more than 128 KiB to all", async () => {
    await start(async (invocation) => {
      invocation.head();
      await invocation.send(new Uint8Array(invocation.request.request.headers.length > 0 && invocation.request.request.target === "/large" ? chunkBytes + 1 : 1));
      await invocation.send(new Uint8Array(2));
      invocation.end();
    });
    expect((await rig.send({ path: "/f/x/", headers: { te: "trailers" } })).trailers).toEqual({ "longshore-result": "succeeded" });
    expect((await rig.send({ path: "/f/x/large" })).body.length).toBe(chunkBytes + 3);
  });

  it("delivers an event as it is written", async () => {
    let more!: () => void;
    const read = new Promise<void>((resolve) => (more = resolve));
    await start(async (invocation) => {
      invocation.head({ status: 200, headers: [["Content-Type", "text/event-stream"]] });
      await invocation.send(Buffer.from("data: 1\n\n"));
      await read;
      invocation.end();
    });
    const outgoing = request({ port: rig.port, path: "/f/x/" }).end();
    const [incoming] = (await once(outgoing, "response")) as [NodeJS.ReadableStream];
    const [first] = (await once(incoming, "data")) as [Buffer];
    expect(first.toString()).toBe("data: 1\n\n");
    more();
    await once(incoming, "end");
  });

  it("streams a large request under the function's own pace, byte-exact", async () => {
    await start(async (invocation) => {
      const body = await invocation.readAll();
      invocation.complete(`${body.length} ${body[12_345_678]}`);
    });
    const body = Buffer.alloc(20_000_000, 7);
    expect((await rig.send({ method: "PUT", path: "/f/x/", body })).body.toString()).toBe("20000000 7");
    expect((await rig.send({ method: "PUT", path: "/f/x/", body, headers: { "transfer-encoding": "chunked" } })).body.toString()).toBe("20000000 7");
  }, 60_000);

  it("passes on an answer that comes before the request was read", async () => {
    await start((invocation) => { invocation.complete("who are you", { status: 401, result: { outcome: "succeeded", status: 401 } }); });
    const answer = await rig.send({ method: "POST", path: "/f/x/", body: Buffer.alloc(20_000_000) });
    expect(answer).toMatchObject({ status: 401 });
  }, 60_000);

  it("answers Expect: 100-continue at once, and refuses a body over the limit before it is sent", async () => {
    await start(async (invocation) => { invocation.complete(await invocation.readAll()); }, { limits: { bodyBytes: 1000 } });
    const socket = rig.open();
    socket.write("POST /f/x/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n");
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(first.toString()).toContain("100 Continue");
    socket.end("hi");
    const refused = await rig.raw("POST /f/x/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n");
    expect(refused).toContain("413");
    expect(refused).not.toContain("100 Continue");
  });

  it("cancels when the caller leaves, in the wait, in the answer and in its own body", async () => {
    await start(async (invocation) => {
      if (invocation.request.request.target === "/answer") invocation.head({ status: 200 });
      await invocation.whenCancelled();
    });
    for (const [path, body] of [["/f/x/", "Content-Length: 0\r\n\r\n"], ["/f/x/answer", "Content-Length: 0\r\n\r\n"], ["/f/x/body", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"]] as const) {
      const socket = rig.open();
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\n${body}`);
      const invocation = await rig.invoker.seen((one) => one.request.request.target === path.slice(4));
      socket.destroy();
      expect(await invocation.whenCancelled()).toBe("abandoned");
    }
  });

  it("carries our own errors as problem+json with Retry-After", async () => {
    await start((invocation) => { invocation.fail(new LongshoreError("backlog_full", "Cannot take \"x\": 100 wait already", { phase: "placement", retryAfterMs: 1500 })); });
    const answer = await rig.send({ path: "/f/x/" });
    expect(answer).toMatchObject({ status: 429, headers: { "retry-after": "2", "content-type": "application/problem+json" } });
    expect(answer.json()).toMatchObject({ code: "resource_exhausted", reason: "backlog_full", phase: "placement" });
  });

  it("tunnels an upgrade both ways, and passes another answer on", async () => {
    await start(async (invocation) => {
      if (invocation.request.request.target === "/no") return invocation.complete("not here", { status: 403, result: { outcome: "succeeded", status: 403 } });
      expect(invocation.request.upgrade).toBe(true);
      invocation.head({ status: 101, headers: [["Upgrade", "websocket"], ["Sec-WebSocket-Accept", "abc"]] });
      for (let part = await invocation.read(); part !== undefined; part = await invocation.read()) await invocation.send(part);
      invocation.end({ result: { outcome: "succeeded", status: 101 } });
    });
    const socket = rig.open();
    socket.write("GET /f/x/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\nearly");
    let text = "";
    socket.on("data", (part: Buffer) => (text += part.toString()));
    while (!text.endsWith("early")) await once(socket, "data");
    expect(text).toMatch(/^HTTP\/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    expect(text).toContain("Sec-WebSocket-Accept: abc");
    socket.end("late");
    await once(socket, "close");
    expect(text.endsWith("late")).toBe(true);
    expect(await rig.raw("GET /f/x/no HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")).toMatch(/^HTTP\/1.1 403/);
  });
});
