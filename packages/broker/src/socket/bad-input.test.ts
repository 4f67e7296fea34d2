import { chunkBytes, encodeFrame, type Frame, maxHeadBytes, writeStream } from "@longshore/protocol";
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket as FragmentingSocket } from "ws";
import type { Script } from "../invocation/testing/fake-invoker.ts";
import type { SocketServerOptions } from "./server.ts";
import { RawClient, type SocketFixture, startSocketFixture } from "./testing/socket-fixture.ts";

let fixture: SocketFixture | undefined;
const echo: Script = async (invocation) => invocation.complete(await invocation.readAll());
const start = async (options?: Partial<SocketServerOptions>) => (fixture = await startSocketFixture({ echo, idle: () => undefined }, options));
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

const hello: Frame = { kind: "open", head: {}, body: new Uint8Array(0) };
const message = (stream: number, frame: Frame) => writeStream(encodeFrame(frame, 4), stream);

/** A socket of `ws`, past its hello: it can send what a well-behaved client cannot. */
async function unruly({ url }: SocketFixture): Promise<FragmentingSocket> {
  const socket = new FragmentingSocket(url, "longshore.v1", { perMessageDeflate: true });
  await once(socket, "open");
  socket.send(message(0, hello));
  await once(socket, "message");
  return socket;
}

/** A connection past its upgrade whose bytes a test writes itself. */
async function upgradedTcp({ url }: SocketFixture): Promise<Socket> {
  const { port, host } = new URL(url);
  const tcp = connectTcp(Number(port), "127.0.0.1");
  tcp.write(`GET /v1/socket HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: longshore.v1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
  await once(tcp, "data");
  return tcp;
}

/** A small message as a client puts it on the wire, masked with zeros. */
function wireFrame(payload: Uint8Array): Buffer {
  return Buffer.concat([Uint8Array.of(0x82, 0x80 | payload.length, 0, 0, 0, 0), payload]);
}

/** Another caller's exchange goes through: the process is up and others are undisturbed. */
async function expectUndisturbed({ connect }: SocketFixture): Promise<void> {
  const client = await connect();
  client.invoke(1, "echo", {}, "still here");
  expect(await client.next(1)).toMatchObject({ kind: "answer" });
}

describe("a bad open", () => {
  const request = { method: "POST", target: "/", headers: [] as [string, string][] };
  const slips: [what: string, head: Record<string, unknown>, reason: string, field: string][] = [
    ["a function's name with a dot", { functionName: "a.b" }, "bad_name", "functionName"],
    ["a wildcard as name", { functionName: ">" }, "bad_name", "functionName"],
    ["a name with NUL", { functionName: "a\0" }, "bad_name", "functionName"],
    ["a name of 300 characters", { functionName: "a".repeat(300) }, "bad_schema", "functionName"],
    ["a look-alike name", { functionName: "\u0435cho" }, "bad_name", "functionName"],
    ["an id that is no UUID", { invocationId: "1" }, "bad_name", "invocationId"],
    ["a where that is none", { where: "planet=earth" }, "bad_schema", "where"],
    ["a timeout of zero", { timeoutMs: 0 }, "bad_schema", "timeoutMs"],
    ["a timeout that is no number", { timeoutMs: "5m; rm" }, "bad_schema", "timeoutMs"],
    ["an unknown key", { colour: "red" }, "bad_schema", "colour"],
    ["a method with a space", { request: { ...request, method: "GET /" } }, "bad_schema", "request.method"],
    ["a target without slash", { request: { ...request, target: "x" } }, "bad_schema", "request.target"],
    ["a target with CRLF", { request: { ...request, target: "/\r\nx: y" } }, "bad_schema", "request.target"],
    ["a header with CRLF", { request: { ...request, headers: [["a", "b\r\nc: d"]] } }, "bad_header", "request.headers[0]"],
    ["a header name that is none", { request: { ...request, headers: [["a b", "c"]] } }, "bad_header", "request.headers[0]"],
    ["thousands of headers", { request: { ...request, headers: Array.from({ length: 2000 }, () => ["a", "b"]) } }, "headers_too_large", "request.headers"],
  ];

  it.each(slips)("with %s is refused naming the field, before anything is invoked", async (_what, head, reason, field) => {
    const fixture = await start();
    const client = await fixture.connect();
    client.invoke(1, "echo", head);
    expect(await client.next(1)).toMatchObject({ kind: "error", head: { code: "invalid_argument", reason, field, phase: "admission" } });
    expect(fixture.invoker.invocations).toEqual([]);
    client.invoke(2, "echo");
    expect(await client.next(2)).toMatchObject({ kind: "answer" });
  });

  it("that asks for nothing we know is refused", async () => {
    const client = await (await start()).connect();
    client.send(1, { kind: "open", head: { what: "destroy" }, body: new Uint8Array(0) });
    expect(await client.next(1)).toMatchObject({ kind: "error", head: { reason: "bad_schema", field: "what" } });
    client.send(2, { kind: "open", head: { __proto__: null, what: "invoke", constructor: 1 }, body: new Uint8Array(0) });
    expect(await client.next(2)).toMatchObject({ kind: "error", head: { reason: "bad_schema" } });
  });

  it("beyond the number of exchanges is refused, and the others go on", async () => {
    const { connect } = await start({ limits: { exchangesPerSocket: 2 } });
    const client = await connect();
    client.invoke(1, "idle");
    client.invoke(2, "echo", { more: true });
    client.invoke(3, "echo");
    expect(await client.next(3)).toMatchObject({ kind: "error", head: { code: "resource_exhausted", reason: "quota", phase: "admission" } });
    client.send(2, { kind: "end", head: { sequenceCount: 0 } });
    expect(await client.next(2)).toMatchObject({ kind: "answer" });
    client.invoke(4, "echo");
    expect(await client.next(4)).toMatchObject({ kind: "answer" });
  });
});

describe("a frame that does not fit its exchange", () => {
  const slips: [what: string, frame: Frame][] = [
    ["a chunk out of order", { kind: "data", sequence: 2, body: Uint8Array.of(1) }],
    ["an end that counts wrongly", { kind: "end", head: { sequenceCount: 7 } }],
    ["an end without a count", { kind: "end", head: {} }],
    ["a second open", { kind: "open", head: {}, body: new Uint8Array(0) }],
    ["a cancel for no reason", { kind: "cancel", head: { reason: "boredom" } }],
    ["an answer", { kind: "answer", head: {}, body: new Uint8Array(0) }],
  ];

  it.each(slips)("(%s) ends that exchange only, and its run", async (_what, frame) => {
    const { connect, invoker } = await start();
    const client = await connect();
    client.invoke(1, "idle", { more: true });
    client.send(1, frame);
    expect(await client.next(1)).toMatchObject({ kind: "error", head: { code: "invalid_argument" } });
    expect(await invoker.invocations[0]!.whenCancelled()).toBe("requested");
    client.invoke(2, "echo");
    expect(await client.next(2)).toMatchObject({ kind: "answer" });
  });

  it("because it passes its credit, ends that exchange", async () => {
    const { connect } = await start();
    const client = await connect();
    client.invoke(1, "idle", { more: true });
    for (let sequence = 1; sequence <= 10; sequence++) client.send(1, { kind: "data", sequence, body: new Uint8Array(chunkBytes) });
    expect((await client.until(1, (frame) => frame.kind === "error")).at(-1)).toMatchObject({ head: { reason: "bad_frame" } });
  });
});

describe("a socket", () => {
  const slips: [what: string, data: Uint8Array | string, code: number][] = [
    ["is sent text", "hello", 1003],
    ["is sent nothing", new Uint8Array(0), 1007],
    ["is sent what is no frame", Uint8Array.of(1, 0, 0, 0, 99, 0, 0, 0, 0), 1007],
    ["is sent a head that is longer than the frame", Uint8Array.of(1, 0, 0, 0, 1, 255, 255, 255, 255), 1007],
    ["is sent a head that is no JSON", Uint8Array.of(1, 0, 0, 0, 1, 1, 0, 0, 0, 0x7b), 1007],
    ["is sent a head that is no UTF-8", Uint8Array.of(1, 0, 0, 0, 1, 3, 0, 0, 0, 0x22, 0xff, 0x22), 1007],
    ["is sent data on a stream that was never opened", message(9, { kind: "data", sequence: 1, body: new Uint8Array(1) }), 1002],
    ["is sent an invocation on stream 0", message(0, { kind: "open", head: { what: "watch" }, body: new Uint8Array(0) }), 1002],
  ];

  it.each(slips)("that %s says what was wrong and closes", async (_what, data, code) => {
    const fixture = await start();
    const client = await fixture.connect();
    client.sendRaw(data);
    expect(await client.next(0)).toMatchObject({ kind: "error", head: { reason: "bad_frame" } });
    expect(await client.closed).toMatchObject({ code, reason: "bad_frame" });
    await expectUndisturbed(fixture);
  });

  it("whose streams count down is closed", async () => {
    const { connect } = await start();
    const client = await connect();
    client.invoke(5, "echo");
    await client.next(5);
    client.invoke(4, "echo");
    expect(await client.closed).toMatchObject({ code: 1002 });
  });

  it("with a frame of 256 MB is closed before any of it is kept", async () => {
    const fixture = await start();
    const tcp = await upgradedTcp(fixture);
    const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0]); // binary, masked, 2^28 bytes
    tcp.write(header);
    const [close] = (await once(tcp, "data")) as [Buffer];
    expect([close[0], close.readUInt16BE(2)]).toEqual([0x88, 1009]);
    tcp.destroy();
    await expectUndisturbed(fixture);
  });

  it("with endless fragments is closed", async () => {
    const fixture = await start();
    const socket = await unruly(fixture);
    const closed = once(socket, "close");
    for (let sent = 0; sent <= maxHeadBytes * 2; sent += 1024) socket.send(new Uint8Array(1024), { fin: false });
    expect((await closed)[0]).toBe(1009);
    await expectUndisturbed(fixture);
  });

  it("does not compress, whatever the client offers", async () => {
    const fixture = await start();
    const socket = await unruly(fixture);
    expect(socket.extensions).toBe("");
    socket.terminate();
  });

  it("takes a flood of tiny messages without leaving others waiting", async () => {
    const fixture = await start();
    const tcp = await upgradedTcp(fixture);
    tcp.write(wireFrame(message(0, hello)));
    await once(tcp, "data");
    tcp.write(Buffer.concat(Array.from({ length: 50_000 }, () => wireFrame(message(0, { kind: "credit", bytes: 0 })))));
    await once(tcp, "data");
    await expectUndisturbed(fixture);
    tcp.destroy();
  });

  it("that floods with pings and never reads is not read from either, and closed in the end", async () => {
    const { url, sockets } = await start({ limits: { keepAliveMs: 200, stopReadingBytes: 512 * 1024 } });
    const socket = await unruly({ url } as SocketFixture);
    socket.pause();
    const broken = new Promise((resolve) => socket.once("error", resolve).once("close", resolve));
    const payload = new Uint8Array(125);
    const flood = setInterval(() => {
      if (socket.bufferedAmount < 1_000_000) for (let count = 0; count < 2_000; count++) socket.ping(payload);
    }, 1);
    await broken;
    clearInterval(flood);
    socket.terminate();
    expect(sockets.load).toEqual({ sockets: 0, exchanges: 0 });
  });
});

describe("a handshake", () => {
  it("without the subprotocol is refused with a clear error", async () => {
    const { url } = await start();
    const client = new RawClient(url, []);
    expect(await client.next(0)).toMatchObject({ kind: "error", head: { reason: "bad_frame", field: "sec-websocket-protocol" } });
    expect(await client.closed).toMatchObject({ code: 1002 });
  });

  it("that does not begin with the hello is refused, and nothing is invoked", async () => {
    const { url, invoker } = await start();
    const client = new RawClient(url);
    await client.opened;
    client.invoke(1, "echo");
    expect(await client.next(0)).toMatchObject({ kind: "error", head: { reason: "bad_frame" } });
    expect(await client.closed).toMatchObject({ code: 1002 });
    expect(invoker.invocations).toEqual([]);
  });

  it("that never comes closes the socket", async () => {
    const { url } = await start({ limits: { helloMs: 50 } });
    const client = new RawClient(url);
    expect(await client.next(0)).toMatchObject({ kind: "error", head: { code: "unauthenticated" } });
    expect(await client.closed).toMatchObject({ code: 1008 });
  });
});
