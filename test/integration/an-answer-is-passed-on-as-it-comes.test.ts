import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exampleDocument } from "../support/examples.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

function* zeros(size: number): Generator<Buffer> {
  const part = Buffer.alloc(64_000);
  for (let at = 0; at < size; at += part.length) yield part.subarray(0, size - at);
}

/** A figure that is read again and again until it has been the same for twenty readings. */
async function untilSettled(read: () => Promise<number>): Promise<number> {
  for (let last = await read(), same = 0; ; ) {
    const now = await read();
    same = now === last ? same + 1 : 0;
    if (same === 20) return now;
    last = now;
  }
}

describe("answers", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: 60_000 }));
    await test.fleet.deploy({ ...(await exampleDocument("echo-ws")), timeoutMs: 3_000 });
  });
  afterAll(() => test.close());

  it("of an event stream arrive event by event, by URL and by socket", async () => {
    const times: number[] = [];
    const web = await fetch(`${test.url}/f/lab/events?n=3&ms=300`);
    expect(web.headers.get("content-type")).toBe("text/event-stream");
    for await (const _ of web.body ?? []) times.push(performance.now());
    expect(times).toHaveLength(3);
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path: "/events?n=3&ms=300" });
    let parts = 0;
    for await (const _ of answer.body) parts += 1;
    expect(parts).toBe(3);
    expect(await answer.result).toMatchObject({ outcome: "succeeded", status: 200 });
  });

  it("of 50 MB go both ways byte for byte", async () => {
    const bytes = new Uint8Array(50_000_000);
    for (let at = 0; at < bytes.length; at += 4096) bytes.fill(at >> 12, at, at + 4096);
    const answer = await fetch(`${test.url}/f/lab/echo`, { method: "POST", body: bytes, headers: { "longshore-deadline-ms": "60000" } });
    expect(Buffer.compare(new Uint8Array(await answer.arrayBuffer()), bytes)).toBe(0);
    const overSocket = await test.fleet.call("lab", new Blob([bytes]).stream(), { path: "/echo" });
    expect(Buffer.compare(await overSocket.bytes(), bytes)).toBe(0);
  });

  it("of an image that does not read its request for a while hold up the sender of it, and nobody else", async () => {
    const size = 200_000_000;
    const upload = request(`${test.url}/f/lab/gate`, { method: "PUT", headers: { "longshore-deadline-ms": "60000" } });
    Readable.from(zeros(size)).pipe(upload);
    const [answer] = (await once(upload, "response")) as [IncomingMessage];
    expect(String((await once(answer, "data"))[0])).toBe("closed");
    const taken = await untilSettled(async () => {
      await test.fleet.invoke("lab", undefined, { path: "/" });
      return upload.socket?.bytesWritten ?? 0;
    });
    expect(taken).toBeLessThan(80_000_000); // What the kernel buffers on two connections, which it makes larger as it likes, and our own windows.
    await test.fleet.invoke("lab", undefined, { path: "/open" });
    expect(await text(answer)).toBe(String(size));
  });

  it("of a WebSocket go on beyond the time limit of a call", async () => {
    await test.untilHeld("echo-ws-r1", "plant");
    const socket = new WebSocket(`${test.url.replace("http", "ws")}/f/echo-ws/`);
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    const echoed: string[] = [];
    for (let count = 0; count < 6; count += 1) {
      await setTimeout(700); // The time limit is what is outlived.
      const echo = once(socket, "message");
      socket.send(`message ${count}`);
      echoed.push(String((await echo)[0]));
    }
    expect(echoed[5]).toBe("message 5");
    const closed = new Promise<number>((resolve) => socket.on("close", resolve));
    socket.close(1000);
    expect(await closed).toBe(1000);
  });
});
