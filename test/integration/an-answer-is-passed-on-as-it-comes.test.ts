import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exampleDocument } from "../support/examples.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

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

  it("keep raw path, query, repeated headers and status", async () => {
    const answer = await fetch(`${test.url}/f/lab/request//a%2Fb/?q=1&q=2`, { method: "PUT", headers: { "x-one": "a" } });
    expect(answer.status).toBe(200);
    expect((await fetch(`${test.url}/f/lab/status?code=418`)).status).toBe(418);
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
