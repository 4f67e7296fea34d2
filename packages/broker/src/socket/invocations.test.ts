import { chunkBytes, encodeFrame, windowBytes, writeStream } from "@longshore/protocol";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket as PausableSocket } from "ws";
import type { Script } from "../invocation/testing/fake-invoker.ts";
import type { SocketServerOptions } from "./server.ts";
import { type SocketFixture, startSocketFixture } from "./testing/socket-fixture.ts";

let fixture: SocketFixture | undefined;
const start = async (scripts: Readonly<Record<string, Script>>, options?: Partial<SocketServerOptions>) => (fixture = await startSocketFixture(scripts, options));
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

const echo: Script = async (invocation) => invocation.complete(await invocation.readAll(), { status: 200, siteId: "plant" });
/** Sends back what comes, as it comes. */
const pipe: Script = async (invocation) => {
  invocation.head({ status: 200 });
  for (let chunk = await invocation.read(); chunk !== undefined; chunk = await invocation.read()) await invocation.send(chunk);
  invocation.end();
};
/** Sends as many bytes as the target says, waiting for its window. */
const pour: Script = async (invocation) => {
  invocation.head();
  for (let left = Number(invocation.request.request.target.slice(1)); left > 0 && invocation.cancelled === undefined; left -= chunkBytes) {
    await invocation.send(new Uint8Array(Math.min(left, chunkBytes)));
  }
  invocation.end({ result: { outcome: invocation.cancelled === undefined ? "succeeded" : "cancelled" } });
};
const target = (path: string) => ({ request: { method: "POST", target: path, headers: [] } });

describe("an invocation over a socket", () => {
  it("is one message each way when it is small", async () => {
    const { connect } = await start({ echo });
    const client = await connect();
    client.invoke(1, "echo", {}, "hello");
    const answer = await client.next(1);
    expect(answer).toMatchObject({ kind: "answer", head: { complete: true, status: 200, siteId: "plant", result: { outcome: "succeeded" } } });
    expect(new TextDecoder().decode((answer as { body: Uint8Array }).body)).toBe("hello");
  });

  it("reaches the invoker checked and complete", async () => {
    const { connect, invoker } = await start({ echo });
    const client = await connect("lsk_good");
    const headers = [["X-A", "1"], ["x-a", "2"], ["Connection", "close"], ["Longshore-Site", "moon"], ["Nats-Trace-Dest", "x"], ["Content-Length", "7"]];
    const invocationId = "0197a7c6-5f3e-7b12-9c58-0d8a4be3f001";
    client.invoke(1, "echo", { invocationId, where: "site=plant,label.gpu=true", timeoutMs: 1500, detach: true, request: { method: "PUT", target: "/a//b%2F?q=1", headers } }, "abc");
    await client.next(1);
    expect(invoker.invocations[0]?.request).toMatchObject({
      invocationId,
      tenantId: "default",
      functionName: "echo",
      where: { site: "plant", labels: { gpu: "true" } },
      timeoutMs: 1500,
      detach: true,
      request: { method: "PUT", target: "/a//b%2F?q=1", headers: [["X-A", "1"], ["x-a", "2"]] },
      upgrade: false,
      more: false,
      bodyBytes: 3,
    });
  });

  it("keeps its answer apart from many others", async () => {
    const { connect } = await start({ echo });
    const client = await connect();
    const streams = Array.from({ length: 500 }, (_, index) => index + 1);
    for (const stream of streams) client.invoke(stream, "echo", {}, `body ${stream}`);
    const answers = await Promise.all(streams.map(async (stream) => ((await client.next(stream)) as { body: Uint8Array }).body));
    expect(answers.map((body) => new TextDecoder().decode(body))).toEqual(streams.map((stream) => `body ${stream}`));
  });

  it("streams both ways under credit, byte for byte", async () => {
    const { connect } = await start({ pipe });
    const client = await connect();
    client.invoke(1, "pipe", { more: true });
    expect(await client.next(1)).toMatchObject({ kind: "answer", head: { complete: false } });
    for (let sequence = 1; sequence <= 3; sequence++) {
      client.send(1, { kind: "data", sequence, body: Uint8Array.of(sequence, 0, 255) });
      expect(await client.next(1)).toMatchObject({ kind: "data", sequence, body: Uint8Array.of(sequence, 0, 255) });
    }
    client.send(1, { kind: "end", head: { sequenceCount: 3 } });
    expect(await client.next(1)).toEqual({ kind: "end", head: { result: { outcome: "succeeded" }, sequenceCount: 3 } });
  });

  it("sends no more than was granted, and stops the function meanwhile", async () => {
    const { connect, invoker } = await start({ pour, echo });
    const client = await connect();
    client.invoke(1, "pour", target(`/${windowBytes * 4}`));
    await client.until(1, (frame) => frame.kind === "data" && frame.sequence === windowBytes / chunkBytes);
    client.invoke(2, "echo", {}, "other exchanges go on");
    await client.next(2);
    expect(client.waiting(1)).toBe(0);
    expect(invoker.invocations[0]?.isOver).toBe(false);
    client.send(1, { kind: "credit", bytes: windowBytes * 3 });
    expect((await client.until(1, (frame) => frame.kind === "end")).at(-1)).toMatchObject({ head: { sequenceCount: 16 } });
  });

  it("pauses a caller whose function does not read, and grants again when it does", async () => {
    const { connect, invoker } = await start({ idle: () => undefined });
    const client = await connect();
    client.invoke(1, "idle", { more: true });
    for (let sequence = 1; sequence <= 4; sequence++) client.send(1, { kind: "data", sequence, body: new Uint8Array(chunkBytes) });
    const invocation = await invoker.seen();
    let granted = 0;
    for (let read = 0; read < 4; read++) await invocation.read();
    while (granted < windowBytes) {
      const frame = await client.next(1);
      expect(frame.kind).toBe("credit");
      granted += (frame as { bytes: number }).bytes;
    }
    expect(granted).toBe(windowBytes);
  });

  it("joins tiny chunks on their way to the function", async () => {
    const { connect, invoker } = await start({ echo });
    const client = await connect();
    client.invoke(1, "echo", { more: true });
    const count = 20_000;
    for (let sequence = 1; sequence <= count; sequence++) client.send(1, { kind: "data", sequence, body: Uint8Array.of(sequence) });
    client.send(1, { kind: "end", head: { sequenceCount: count } });
    const answer = (await client.until(1, (frame) => frame.kind !== "credit")).at(-1) as { body: Uint8Array };
    expect(answer.body).toEqual(Uint8Array.from({ length: count }, (_, index) => index + 1));
    expect(invoker.invocations[0]!.writes).toBeLessThan(count / 10);
  });

  it("may be answered before its request was read; what still comes is dropped", async () => {
    const { connect } = await start({ refuse: (invocation) => invocation.complete("no", { status: 401 }), echo });
    const client = await connect();
    client.invoke(1, "refuse", { more: true });
    expect(await client.next(1)).toMatchObject({ kind: "answer", head: { status: 401 } });
    client.send(1, { kind: "data", sequence: 1, body: Uint8Array.of(1) });
    client.send(1, { kind: "end", head: { sequenceCount: 1 } });
    client.invoke(2, "echo");
    expect(await client.next(2)).toMatchObject({ kind: "answer" });
    expect(client.waiting(1)).toBe(0);
  });

  it("is cancelled by the caller, and its outcome still comes", async () => {
    const { connect, invoker } = await start({ pour });
    const client = await connect();
    client.invoke(1, "pour", target("/1000000000"));
    await client.until(1, (frame) => frame.kind === "data");
    client.send(1, { kind: "cancel", head: { reason: "requested" } });
    const frames = await client.until(1, (frame) => frame.kind === "end");
    expect(frames.at(-1)).toEqual({ kind: "end", head: { result: { outcome: "cancelled" }, sequenceCount: frames.length } });
    expect(invoker.invocations[0]?.cancelled).toBe("requested");
  });

  it("is abandoned when the socket closes, and ended when its request was not whole", async () => {
    const { connect, invoker } = await start({ idle: () => undefined });
    const client = await connect();
    client.invoke(1, "idle", { detach: true });
    client.invoke(2, "idle", { detach: true, more: true });
    const [whole, part] = [await invoker.seen(), await invoker.seen((invocation) => invocation.request.more)];
    client.close();
    expect([await whole.whenCancelled(), await part.whenCancelled()]).toEqual(["abandoned", "requested"]);
  });

  it("carries our own error with code, reason and phase", async () => {
    const { connect } = await start({});
    const client = await connect();
    client.invoke(1, "nobody");
    expect(await client.next(1)).toMatchObject({ kind: "error", head: { code: "not_found", reason: "function_not_found", phase: "admission" } });
  });

  it("ends with our error after its body had begun", async () => {
    const breaks: Script = async (invocation) => {
      invocation.head();
      await invocation.send(Uint8Array.of(1));
      throw new Error("agent went away");
    };
    const { connect } = await start({ breaks });
    const client = await connect();
    client.invoke(1, "breaks");
    expect((await client.until(1, (frame) => frame.kind === "error")).map(({ kind }) => kind)).toEqual(["answer", "data", "error"]);
  });
});

describe("a socket that nobody reads from", () => {
  it("holds back bodies, not other sockets, and is closed in the end", async () => {
    const { url, connect, sockets, invoker } = await start({ pour, echo }, { limits: { keepAliveMs: 200 } });
    const deaf = new PausableSocket(url, "longshore.v1", { perMessageDeflate: false });
    await once(deaf, "open");
    const send = (stream: number, head: unknown) => deaf.send(writeStream(encodeFrame({ kind: "open", head, body: new Uint8Array(0) }, 4), stream));
    send(0, {});
    await once(deaf, "message");
    deaf.pause();
    for (let stream = 1; stream <= 64; stream++) {
      send(stream, { what: "invoke", functionName: "pour", request: { method: "POST", target: "/100000000", headers: [] }, more: false });
    }
    await invoker.seen(() => invoker.invocations.length === 64);
    const other = await connect();
    other.invoke(1, "echo", {}, "undisturbed");
    expect(await other.next(1)).toMatchObject({ kind: "answer" });
    const reasons = await Promise.all(invoker.invocations.slice(0, 64).map((invocation) => invocation.whenCancelled()));
    expect(new Set(reasons)).toEqual(new Set(["abandoned"]));
    deaf.resume();
    await once(deaf, "close");
    expect(sockets.load).toEqual({ sockets: 1, exchanges: 0 });
  });
});
