import { randomBytes } from "node:crypto";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { testImage, testRevision } from "../testing/revision.ts";
import type { RunningInstance } from "./contract.ts";
import { createHttpContract } from "./http.ts";
import { httpInstance } from "./http/testing/http-instance.ts";
import { type ScriptedServer, type ServerSide, startScriptedServer } from "./http/testing/scripted-server.ts";
import { type CallChanges, contractCall } from "./testing/contract-call.ts";
import { RecordedAnswer } from "./testing/recorded-answer.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A contract, an instance of it, and the server that the instance is. */
async function scene(options: Parameters<typeof startScriptedServer>[0] = {}) {
  const clock = new ManualClock();
  const contract = createHttpContract(clock);
  const server = await startScriptedServer(options);
  const instance = httpInstance(server.port);
  cleanups.push(() => server.close(), () => contract.release(instance));
  return { clock, contract, server, instance, call: (changes: CallChanges = {}) => invoke(contract, instance, changes) };
}

function invoke(contract: ReturnType<typeof createHttpContract>, instance: RunningInstance, changes: CallChanges = {}) {
  const answer = new RecordedAnswer();
  return { answer, run: contract.invoke(instance, contractCall(changes), answer) };
}

const ok = (body: string, fields = "") => `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
const succeeded = (status = 200) => ({ kind: "finished", result: { outcome: "succeeded", status }, reusable: true });

/** Has one call answered whole; its connection is idle afterwards unless the answer says otherwise. */
async function serveOne({ server, call }: { server: ScriptedServer; call: (changes?: CallChanges) => { answer: RecordedAnswer } }, text = ok("hi")): Promise<ServerSide> {
  const { answer } = call();
  const side = await server.next();
  await side.head();
  side.send(text);
  expect(await answer.ended).toEqual(succeeded());
  return side;
}

describe("the http contract", () => {
  describe("plans a start", () => {
    const plan = (document: Parameters<typeof testRevision>[0], exposedPorts: number[] = []) => {
      const revision = testRevision(document);
      return createHttpContract(new ManualClock()).plan({ ...revision, image: { ...revision.image, exposedPorts } }, testImage());
    };

    it("on the port that is named, else the one exposed, else 8080", () => {
      expect(plan({ port: 3000 }, [80]).port).toBe(3000);
      expect(plan({}, [80]).port).toBe(80);
      expect(plan({}, []).port).toBe(8080);
    });

    it("with what Knative tells its images", () => {
      expect(plan({ name: "shop", port: 3000 })).toEqual({ mode: "become", port: 3000, env: ["PORT=3000", "K_SERVICE=shop", "K_REVISION=shop-r1", "K_CONFIGURATION=shop"] });
    });
  });

  describe("delivers an invocation", () => {
    it("and passes the answer on", async () => {
      const { server, call } = await scene();
      const { answer } = call({ method: "POST", target: "//a%2Fb/?q", headers: [["X-A", "1"], ["x-a", "2"]], body: "body" });
      const side = await server.next();
      expect(await side.until("body")).toBe(`POST //a%2Fb/?q HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\nbody`);
      side.send("HTTP/1.1 201 Created\r\nset-cookie: a\r\nX: y\r\nSet-Cookie: b\r\nContent-Length: 2\r\n\r\nok");
      expect(await answer.ended).toEqual(succeeded(201));
      expect({ head: answer.began, bytes: answer.bodyBytes, body: answer.body.toString() }).toEqual({
        head: { status: 201, headers: [["set-cookie", "a"], ["X", "y"], ["Set-Cookie", "b"], ["Content-Length", "2"]] },
        bytes: 2,
        body: "ok",
      });
    });

    it.each([200, 302, 400, 404, 499])("and counts a %i as the function's answer", async (status) => {
      const { server, call } = await scene();
      const { answer } = call();
      (await server.next()).send(`HTTP/1.1 ${status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n`);
      expect(await answer.ended).toEqual(succeeded(status));
      expect(server.taken).toBe(1); // No redirect is followed.
    });

    it.each([500, 503, 599])("and counts a %i as its failure", async (status) => {
      const { server, call } = await scene();
      const { answer } = call();
      (await server.next()).send(`HTTP/1.1 ${status} X\r\nContent-Length: 3\r\n\r\noh!`);
      expect(await answer.ended).toEqual({ kind: "finished", result: { outcome: "failed", status, message: `The function answered ${status}` }, reusable: true });
      expect(answer.body.toString()).toBe("oh!");
    });

    it("with a body of 4 MB and an answer as large, byte for byte, however it is framed", async () => {
      const { server, call } = await scene();
      const bytes = randomBytes(4_000_000);
      const { answer } = call({ method: "POST", body: bytes });
      const side = await server.next();
      await side.head();
      expect((await side.take(bytes.length)).equals(bytes)).toBe(true);
      side.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (let at = 0; at < bytes.length; at += 30_000) {
        const part = bytes.subarray(at, at + 30_000);
        side.send(`${part.length.toString(16)}\r\n`);
        side.socket.write(part);
        side.send("\r\n");
      }
      side.send("0\r\n\r\n");
      expect(await answer.ended).toEqual(succeeded());
      expect(answer.body.equals(bytes)).toBe(true);
      expect(answer.bodyBytes).toBeUndefined();
    });

    it("with a body of unknown length as chunks, each at once", async () => {
      const { server, call } = await scene();
      const { answer, run } = call({ method: "POST", body: "first", more: true });
      const side = await server.next();
      await side.until("5\r\nfirst\r\n");
      run.write(Buffer.from("and more"));
      await side.until("8\r\nand more\r\n");
      run.write(Buffer.alloc(0)); // An empty chunk would end the body.
      run.endRequest();
      expect(await side.until("0\r\n\r\n")).toMatch(/Transfer-Encoding: chunked\r\n[^]*\r\n\r\n5\r\nfirst\r\n8\r\nand more\r\n0\r\n\r\n$/);
      side.send(ok(""));
      expect(await answer.ended).toEqual(succeeded());
    });

    it("with a body of known length that comes in parts", async () => {
      const { server, call } = await scene();
      const { answer, run } = call({ method: "PUT", body: "abc", more: true, bodyBytes: 6 });
      run.write(Buffer.from("def"));
      run.endRequest();
      const side = await server.next();
      expect(await side.until("abcdef")).toContain("Content-Length: 6\r\n");
      side.send(ok("done"));
      expect(await answer.ended).toEqual(succeeded());
    });

    it("and the answer's end is that of the connection, where it has no length", async () => {
      const { server, call } = await scene();
      const { answer } = call();
      (await server.next()).socket.end("HTTP/1.0 200 OK\r\n\r\nuntil the end");
      expect(await answer.ended).toEqual(succeeded());
      expect(answer.body.toString()).toBe("until the end");
    });

    it.each(["HEAD", "GET"])("whose answer to %s has no body, and no false length", async (method) => {
      const { server, call } = await scene();
      const { answer } = call({ method });
      (await server.next()).send(method === "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" : "HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n");
      await answer.ended;
      expect({ body: answer.byteLength, bytes: answer.bodyBytes, headers: answer.began?.headers }).toEqual({ body: 0, bytes: 0, headers: method === "HEAD" ? [["Content-Length", "500"]] : [] });
    });

    it("and events of the answer are passed on one by one, as they come", async () => {
      const { server, call } = await scene();
      const { answer } = call({ headers: [["Accept", "text/event-stream"]] });
      const side = await server.next();
      side.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
      await answer.until(() => answer.began !== undefined);
      for (const event of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
        side.send(`${event.length.toString(16)}\r\n${event}\r\n`);
        await answer.until(() => answer.body.toString().endsWith(event));
      }
      expect(answer.parts).toHaveLength(3);
      side.send("0\r\n\r\n");
      expect(await answer.ended).toEqual(succeeded());
    });

    it("and an `Expect`, which the broker answered, goes no further; an interim answer is not the answer", async () => {
      const { server, call } = await scene();
      const { answer } = call({ method: "POST", headers: [["Expect", "100-continue"]], body: "body" });
      const side = await server.next();
      expect(await side.until("body")).not.toMatch(/expect/i);
      side.send(`HTTP/1.1 100 Continue\r\n\r\n${ok("hi")}`);
      expect(await answer.ended).toEqual(succeeded());
    });
  });

  describe("refuses", () => {
    it("a method that asks for a tunnel, and fields that cannot be written, before anything is sent", async () => {
      const { server, call } = await scene();
      expect(await call({ method: "CONNECT" }).answer.ended).toMatchObject({ kind: "refused", error: { reason: "bad_schema", field: "method" }, reusable: true });
      expect(await call({ headers: [["X", "a\r\nb"]] }).answer.ended).toMatchObject({ kind: "refused", error: { reason: "bad_header", phase: "admission" }, reusable: true });
      expect(server.taken).toBe(0);
    });

    it.each([["longer", "def!"], ["shorter", "d"]])("to pass on a body that is %s than it said", async (word, rest) => {
      const { server, call } = await scene();
      const { answer, run } = call({ method: "POST", body: "abc", more: true, bodyBytes: 6 });
      const side = await server.next();
      await side.until("abc");
      run.write(Buffer.from(rest));
      run.endRequest();
      expect(await answer.ended).toMatchObject({ kind: "refused", error: expect.objectContaining({ reason: "body_incomplete", message: `Cannot pass on the request body: it is ${word} than it said` }), reusable: true });
      await side.closed();
      expect(side.received).not.toContain("!");
    });
  });

  describe("says what it knows when the connection breaks", () => {
    it("nothing was sent, where none was taken", async () => {
      const { server, contract, call } = await scene();
      await server.close();
      expect(await call().answer.ended).toEqual({ kind: "broken", message: "it did not take a connection", notStarted: true });
      expect(contract.name).toBe("http");
    });

    it.each([
      ["without an answer", "", "it closed the connection without an answer"],
      ["within a head", "HTTP/1.1 200 OK\r\nX: ", "it closed the connection without an answer"],
      ["within a body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "it closed the connection before its answer was whole"],
      ["within chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", "it closed the connection before its answer was whole"],
    ])("it may have begun, where it closed %s", async (_, text, message) => {
      const { server, call } = await scene();
      const { answer } = call();
      const side = await server.next();
      await side.head();
      side.socket.end(Buffer.from(text));
      expect(await answer.ended).toEqual({ kind: "broken", message, notStarted: false });
    });

    it("what came is no HTTP, and the connection is not used again", async () => {
      const { server, call } = await scene();
      const { answer } = call();
      const side = await server.next();
      side.send("SSH-2.0-OpenSSH_9.2\r\n");
      expect(await answer.ended).toEqual({ kind: "broken", message: "it did not answer with an HTTP/1.1 status line", notStarted: false });
      await side.closed();
    });
  });

  describe("keeps connections", () => {
    it("and uses one again", async () => {
      const { server, call } = await scene();
      const side = await serveOne({ server, call });
      for (const word of ["two", "three"]) {
        const { answer } = call({ method: "POST", body: word });
        await side.until(word);
        await side.head();
        await side.take(word.length);
        side.send(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`);
        expect(await answer.ended).toEqual(succeeded());
      }
      expect(server.taken).toBe(1);
    });

    it("one for each call at once, the last used first", async () => {
      const { server, call } = await scene();
      const calls = [call(), call(), call()];
      const sides = [await server.next(), await server.next(), await server.next()];
      for (const [index, side] of sides.entries()) {
        side.send(ok(String(index)));
        expect(await calls[index]!.answer.ended).toEqual(succeeded());
        await side.head();
      }
      const { answer } = call();
      await sides[2]!.head();
      sides[2]!.send(ok("again"));
      expect(await answer.ended).toEqual(succeeded());
      expect(server.taken).toBe(3);
    });

    it.each([
      ["it says that it closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"],
      ["it is of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi"],
      ["something came behind the answer", `${ok("hi")}HTTP/1.1`],
      ["its length is ambiguous", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"],
    ])("but not where %s", async (_, text) => {
      const { server, call } = await scene();
      const side = await serveOne({ server, call }, text);
      await side.closed();
      await serveOne({ server, call });
      expect(server.taken).toBe(2);
    });

    it("of HTTP/1.0 where it says so", async () => {
      const { server, call } = await scene();
      const side = await serveOne({ server, call }, "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi");
      const { answer } = call();
      await side.head();
      side.send(ok("hi"));
      expect(await answer.ended).toEqual(succeeded());
    });

    it("but not where the answer came before the request was whole", async () => {
      const { server, call } = await scene();
      const { answer, run } = call({ method: "POST", body: "abc", more: true });
      const side = await server.next();
      await side.head();
      side.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
      expect(await answer.ended).toEqual(succeeded(413));
      expect(run.write(Buffer.from("rest"))).toBe(true);
      run.endRequest();
      await side.closed();
      await serveOne({ server, call });
    });

    it.each([
      ["a second, where it announced nothing", "", 1_000],
      ["a second less than it announced", "Keep-Alive: timeout=5, max=100\r\n", 4_000],
    ])("for %s", async (_, field, trustedMs) => {
      const { server, call, clock } = await scene();
      const side = await serveOne({ server, call }, ok("hi", field));
      clock.advance(trustedMs - 1);
      const { answer } = call();
      await side.head();
      side.send(ok("hi", field));
      await answer.ended;
      clock.advance(trustedMs);
      await serveOne({ server, call });
      await side.closed();
      expect(server.taken).toBe(2);
    });

    it("and notices that one was closed while it was idle: the next call has a new one", async () => {
      const { server, call } = await scene();
      const side = await serveOne({ server, call });
      side.socket.end();
      await side.closed();
      await serveOne({ server, call });
      expect(server.taken).toBe(2);
    });

    it("and closes one that speaks unasked", async () => {
      const { server, call } = await scene();
      const side = await serveOne({ server, call });
      side.send(ok("an answer to nothing"));
      await side.closed();
      await serveOne({ server, call });
      expect(server.taken).toBe(2);
    });

    it("until they are released", async () => {
      const { server, call, contract, instance } = await scene();
      const idle = await serveOne({ server, call });
      contract.release(instance);
      await idle.closed();
    });
  });

  describe("holds back", () => {
    it("a server that answers faster than the caller reads", async () => {
      const { server, call } = await scene();
      const { answer, run } = call();
      answer.onData = () => run.pause();
      const side = await server.next();
      await side.head();
      const bodyBytes = 16 * 2 ** 20;
      side.send(`HTTP/1.1 200 OK\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
      const isTaken = side.socket.write(Buffer.alloc(bodyBytes, "x"));
      expect(isTaken).toBe(false);
      await answer.until(() => answer.byteLength > 0);
      const stuckAt = answer.byteLength;
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      expect(answer.byteLength).toBe(stuckAt);
      expect(side.socket.writableLength).toBeGreaterThan(0);
      answer.onData = () => undefined;
      run.resume();
      expect(await answer.ended).toEqual(succeeded());
      expect(answer.byteLength).toBe(bodyBytes);
    });

    it("a caller that sends faster than the server reads", async () => {
      const { server, call } = await scene();
      const { answer, run } = call({ method: "POST", more: true });
      const side = await server.next();
      await side.head();
      side.socket.pause();
      let writes = 0;
      while (run.write(Buffer.alloc(2 ** 20))) {
        writes += 1;
        expect(writes).toBeLessThan(100);
        await new Promise(setImmediate);
      }
      expect(answer.drains).toBe(0);
      side.socket.resume();
      await answer.until(() => answer.drains > 0);
      run.endRequest();
      side.send(ok("had it"));
      expect(await answer.ended).toEqual(succeeded());
    });
  });

  describe("passes on an answer that comes before the body was read", () => {
    it("though the server then closes with the body unread", async () => {
      for (let round = 0; round < 20; round += 1) {
        const { server, call } = await scene();
        const { answer, run } = call({ method: "POST", body: Buffer.alloc(100_000), more: true });
        const side = await server.next();
        side.socket.pause();
        side.socket.write("HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", () => side.socket.destroy());
        await side.closed();
        // The reset has come, the answer waits to be read, and there is more to send.
        for (let part = 0; part < 10; part += 1) run.write(Buffer.alloc(100_000));
        expect(await answer.ended, `round ${round}`).toEqual(succeeded(413));
        expect(answer.body.toString()).toBe("no");
        await server.close();
      }
    });
  });

  describe("ends a call that is cancelled", () => {
    it("by closing its connection, and says no more", async () => {
      const { server, call } = await scene();
      const { answer, run } = call({ method: "POST", more: true, body: "abc" });
      const side = await server.next();
      await side.head();
      side.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
      await answer.until(() => answer.byteLength === 4);
      run.abort();
      await side.closed();
      run.write(Buffer.from("late"));
      run.endRequest();
      run.pause();
      run.resume();
      run.abort();
      expect(answer.ending).toBeUndefined();
      await serveOne({ server, call });
    });

    it("before its connection stands", async () => {
      const { server, call } = await scene();
      const { answer, run } = call();
      run.abort();
      await serveOne({ server, call });
      expect(answer.ending).toBeUndefined();
    });

    it("and leaves its neighbours alone", async () => {
      const { server, call } = await scene();
      const [ended, other] = [call(), call()];
      const [first, second] = [await server.next(), await server.next()];
      ended.run.abort();
      await first.closed();
      second.send(ok("hi"));
      expect(await other.answer.ended).toEqual(succeeded());
    });
  });

  describe("passes an upgrade through", () => {
    const asked = { upgrade: true, more: true, headers: [["Upgrade", "websocket"], ["Sec-WebSocket-Key", "k"]] } as const;
    const switched = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: a\r\n\r\n";

    it("and then bytes both ways, what came early included", async () => {
      const { server, call } = await scene();
      const { answer, run } = call({ ...asked, body: Buffer.from("early ") });
      expect(run.write(Buffer.from("words "))).toBe(false);
      const side = await server.next();
      expect(await side.head()).toContain("Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      expect(side.received).toBe("");
      side.send(`${switched}hello`);
      await answer.until(() => answer.body.toString() === "hello");
      expect(answer.began).toEqual({ status: 101, headers: [["Upgrade", "websocket"], ["Sec-WebSocket-Accept", "a"]] });
      expect(answer.drains).toBeGreaterThan(0);
      await side.until("early words ");
      run.write(Buffer.from("to you"));
      expect(await side.until("to you")).toBe("early words to you");
      side.send("\0\x01\xff");
      await answer.until(() => answer.byteLength === 8);
      expect([...answer.body.subarray(5)]).toEqual([0, 1, 255]);
      side.socket.end();
      expect(await answer.ended).toEqual(succeeded(101));
    });

    it("of which each direction may end by itself", async () => {
      const { server, call } = await scene({ allowHalfOpen: true });
      const { answer, run } = call(asked);
      const side = await server.next();
      side.send(switched);
      await answer.until(() => answer.began !== undefined);
      run.write(Buffer.from("last words"));
      run.endRequest();
      await side.until("last words");
      await side.ended();
      side.socket.end("and mine");
      expect(await answer.ended).toEqual(succeeded(101));
      expect(answer.body.toString()).toBe("and mine");
    });

    it("of which the caller's may have ended before it stood", async () => {
      const { server, call } = await scene({ allowHalfOpen: true });
      const { answer, run } = call(asked);
      run.write(Buffer.from("all I say"));
      run.endRequest();
      const side = await server.next();
      await side.head();
      side.send(switched);
      await side.until("all I say");
      await side.ended();
      side.socket.end();
      expect(await answer.ended).toEqual(succeeded(101));
    });

    it("and what the caller sent reaches a server that has ended its own direction", async () => {
      const { server, call } = await scene({ allowHalfOpen: true });
      const { answer, run } = call(asked);
      const side = await server.next();
      await side.head();
      side.send(switched);
      await answer.until(() => answer.began !== undefined);
      side.socket.pause();
      const bytes = randomBytes(8_000_000);
      run.write(bytes);
      side.socket.end("bye");
      await answer.until(() => answer.byteLength === 3);
      side.socket.resume();
      expect((await side.take(bytes.length)).equals(bytes)).toBe(true);
      expect(await answer.ended).toEqual(succeeded(101));
    });

    it("and an answer that declines is the answer", async () => {
      const { server, call } = await scene();
      const { answer } = call(asked);
      const side = await server.next();
      side.send("HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nno");
      expect(await answer.ended).toEqual(succeeded(426));
      expect(answer.began?.headers).toEqual([["Content-Length", "2"]]);
      await side.closed();
    });

    it("and ends it when it is cancelled", async () => {
      const { server, call } = await scene();
      const { answer, run } = call(asked);
      const side = await server.next();
      side.send(switched);
      await answer.until(() => answer.began !== undefined);
      run.abort();
      await side.closed();
      expect(answer.ending).toBeUndefined();
    });
  });
});

/** A clock on which every wait is over at once, and which calls back before each. */
function hurriedClock(beforeWait: (waits: number) => void = () => undefined): Clock {
  let nowMs = 0;
  let waits = 0;
  return {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    after(delayMs, callback) {
      nowMs += delayMs;
      beforeWait((waits += 1));
      const immediate = setImmediate(callback);
      return () => {
        clearImmediate(immediate);
      };
    },
  };
}

describe("the readiness of an http instance", () => {
  const never = new AbortController().signal;

  it("comes when its port takes a connection, which the first call uses", async () => {
    const server = await startScriptedServer();
    cleanups.push(() => server.close());
    const contract = createHttpContract(new ManualClock());
    const instance = httpInstance(server.port);
    await contract.ready(instance, never);
    const { answer } = invoke(contract, instance);
    (await server.next()).send(ok("hi"));
    expect(await answer.ended).toEqual(succeeded());
    expect(server.taken).toBe(1);
    contract.release(instance);
  });

  it("is awaited until the program listens", async () => {
    const place = await startScriptedServer();
    await place.close();
    let started: Promise<ScriptedServer> | undefined;
    const clock = hurriedClock((waits) => {
      if (waits === 5) started = startScriptedServer({ port: place.port });
    });
    const contract = createHttpContract(clock);
    const instance = httpInstance(place.port);
    await contract.ready(instance, never);
    contract.release(instance);
    await (await started)?.close();
  });

  it("with a probe, comes with its first 2xx", async () => {
    const server = await startScriptedServer();
    cleanups.push(() => server.close());
    const contract = createHttpContract(hurriedClock());
    const instance = httpInstance(server.port, { startProbePath: "/healthz?full" });
    const ready = contract.ready(instance, never);
    const side = await server.next();
    for (const status of [503, 302, 204]) {
      expect(await side.head()).toMatch(/^GET \/healthz\?full HTTP\/1\.1\r\n/);
      side.send(`HTTP/1.1 ${status} X\r\n${status === 204 ? "" : "Content-Length: 0\r\n"}\r\n`);
    }
    await ready;
    contract.release(instance);
  });

  it("with a probe that never succeeds, names the last answer", async () => {
    const server = await startScriptedServer();
    cleanups.push(() => server.close());
    const limit = new AbortController();
    const contract = createHttpContract(hurriedClock());
    const instance = httpInstance(server.port, { startProbePath: "/healthz" });
    const ready = contract.ready(instance, limit.signal);
    const side = await server.next();
    await side.head();
    side.send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
    await side.head();
    limit.abort();
    await expect(ready).rejects.toMatchObject({ reason: "instance_start_failed", phase: "startup", message: "Cannot start instance: its start probe /healthz did not answer 2xx in time (status 503)" });
    contract.release(instance);
  });

  it.skipIf(process.platform !== "linux")("never comes where it listens on loopback only, which is named (needs Linux)", async () => {
    const server = await startScriptedServer({ host: "127.0.0.1" });
    cleanups.push(() => server.close());
    const contract = createHttpContract(hurriedClock());
    // The same port at an address where nobody listens, as from outside of a container.
    const ready = contract.ready(httpInstance(server.port, { ip: "127.0.0.2", pid: process.pid }), never);
    await expect(ready).rejects.toMatchObject({ reason: "instance_start_failed", phase: "startup", message: `Cannot start instance: its program listens on port ${server.port} on loopback only, and must listen on 0.0.0.0` });
  });

  it("names the port on which nobody listened in time", async () => {
    const place = await startScriptedServer();
    await place.close();
    const limit = new AbortController();
    const contract = createHttpContract(hurriedClock((waits) => waits === 20 && limit.abort()));
    const ready = contract.ready(httpInstance(place.port), limit.signal);
    await expect(ready).rejects.toMatchObject({ reason: "instance_start_failed", message: `Cannot start instance: its program does not listen on port ${place.port}` });
  });

  it.skipIf(process.platform !== "linux")("names the port on which it listens instead (needs Linux)", async () => {
    const [server, other] = [await startScriptedServer(), await startScriptedServer({ host: "0.0.0.0" })];
    await server.close();
    cleanups.push(() => other.close());
    const limit = new AbortController();
    limit.abort();
    const ready = createHttpContract(hurriedClock()).ready(httpInstance(server.port, { pid: process.pid }), limit.signal);
    await expect(ready).rejects.toMatchObject({ message: expect.stringMatching(`does not listen on port ${server.port}; it listens on port .*\\b${other.port}\\b`) });
  });

  it("of a server that speaks only HTTP/2 ends in a refusal that names it", async () => {
    const { instance, taken, closed } = await startHttp2();
    const contract = createHttpContract(new ManualClock());
    const refused = { kind: "refused", error: expect.objectContaining({ reason: "instance_start_failed", phase: "startup", message: expect.stringContaining("speaks only HTTP/2") }), reusable: false };
    expect(await invoke(contract, instance).answer.ended).toMatchObject(refused);
    expect(taken()).toBe(1);

    delete instance.connection;
    await contract.ready(instance, never);
    await closed(2); // It spoke first.
    expect(await invoke(contract, instance).answer.ended).toMatchObject(refused);
    expect(taken()).toBe(2);
    contract.release(instance);
  });
});

/** An instance whose server speaks HTTP/2 without TLS, and nothing else. */
async function startHttp2() {
  const server = createHttp2Server();
  const sockets: Socket[] = [];
  let closedCount = 0;
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("close", () => {
      closedCount += 1;
      server.emit("one closed");
    });
  });
  server.on("session", (session: ServerHttp2Session) => session.on("error", () => undefined));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return {
    instance: httpInstance((server.address() as AddressInfo).port),
    taken: () => sockets.length,
    async closed(count: number): Promise<void> {
      while (closedCount < count) await once(server, "one closed");
    },
  };
}
