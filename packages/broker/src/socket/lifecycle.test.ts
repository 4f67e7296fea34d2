import { type FleetEvent, protocolVersion, type TenantId } from "@longshore/protocol";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket as HeaderSocket } from "ws";
import type { Script } from "../invocation/testing/fake-invoker.ts";
import type { SocketServerOptions } from "./server.ts";
import { authenticate, RawClient, type SocketFixture, startSocketFixture } from "./testing/socket-fixture.ts";

let fixture: SocketFixture | undefined;
const echo: Script = async (invocation) => invocation.complete(await invocation.readAll());
const start = async (options?: Partial<SocketServerOptions>) => (fixture = await startSocketFixture({ echo, idle: () => undefined }, options));
afterEach(async () => {
  await fixture?.close();
  fixture = undefined;
});

const nothing = new Uint8Array(0);
const greet = async (client: RawClient, head: unknown) => {
  await client.opened;
  client.send(0, { kind: "open", head, body: nothing });
  return client.next(0);
};

describe("who calls", () => {
  it("is told by the key of the hello", async () => {
    const { url } = await start({ authenticate: (bearer) => authenticate(bearer, { loopback: false }) });
    expect(await greet(new RawClient(url), { key: "lsk_good" })).toMatchObject({ kind: "answer", head: { brokerId: "b1", protocolVersion } });
    const bad = new RawClient(url);
    expect(await greet(bad, { key: "lsk_bad" })).toMatchObject({ kind: "error", head: { reason: "token_invalid" } });
    expect(await bad.closed).toMatchObject({ code: 1008, reason: "token_invalid" });
    expect(await greet(new RawClient(url), {})).toMatchObject({ kind: "error", head: { reason: "key_missing" } });
  });

  it("may be looked up in its own time; what was sent meanwhile is not lost", async () => {
    const { url } = await start({ authenticate: async () => ({ tenantId: "acme" as TenantId }) });
    const client = new RawClient(url);
    await client.opened;
    client.send(0, { kind: "open", head: {}, body: nothing });
    client.invoke(1, "echo", {}, "early");
    expect(await client.next(1)).toMatchObject({ kind: "answer" });
    expect(fixture?.invoker.invocations[0]?.request.tenantId).toBe("acme");
  });

  const pages: [origin: string, host: string | undefined, reason: string | undefined][] = [
    ["https://evil.example", undefined, "not_allowed"],
    ["http://rebound.example:4270", "rebound.example:4270", "not_allowed"],
    ["null", undefined, "not_allowed"],
    ["http://localhost:4270", "localhost:4270", undefined],
    ["https://console.example", undefined, undefined],
  ];
  it.each(pages)("is not the machine's user when a page of %s asks (Host: %s)", async (origin, host, reason) => {
    const { url } = await start({ allowedOrigins: ["https://console.example"] });
    const socket = new HeaderSocket(url, "longshore.v1", { origin, ...(host !== undefined && { headers: { host } }) });
    await once(socket, "open");
    socket.send(Buffer.from([0, 0, 0, 0, 1, 2, 0, 0, 0, 0x7b, 0x7d]));
    const [message] = (await once(socket, "message")) as [Buffer];
    const text = message.subarray(9).toString();
    if (reason === undefined) expect(text).toContain('"brokerId":"b1"');
    else expect(text).toContain(`"reason":"${reason}"`);
    socket.terminate();
  });

  it("may be a page of any origin that has a key", async () => {
    const { url } = await start();
    const socket = new HeaderSocket(url, "longshore.v1", { origin: "https://app.example", headers: { authorization: "Bearer lsk_good" } });
    await once(socket, "open");
    socket.send(Buffer.from([0, 0, 0, 0, 1, 2, 0, 0, 0, 0x7b, 0x7d]));
    expect(((await once(socket, "message")) as [Buffer])[0].subarray(9).toString()).toContain('"brokerId":"b1"');
    socket.terminate();
  });
});

describe("a silent peer", () => {
  it("is kept while it answers pings", async () => {
    const { url } = await start({ limits: { keepAliveMs: 20 } });
    const socket = new HeaderSocket(url, "longshore.v1");
    await once(socket, "open");
    socket.send(Buffer.from([0, 0, 0, 0, 1, 2, 0, 0, 0, 0x7b, 0x7d]));
    for (let pings = 0; pings < 4; pings++) await once(socket, "ping");
    expect(socket.readyState).toBe(HeaderSocket.OPEN);
    socket.terminate();
  });

  it("is cut when it does not", async () => {
    const { url } = await start({ limits: { keepAliveMs: 20 } });
    const socket = new HeaderSocket(url, "longshore.v1", { autoPong: false });
    await once(socket, "open");
    socket.send(Buffer.from([0, 0, 0, 0, 1, 2, 0, 0, 0, 0x7b, 0x7d]));
    expect((await once(socket, "close"))[0]).toBe(1006);
  });

  it("is told that the broker is there when it asks", async () => {
    const { connect } = await start();
    const client = await connect();
    client.send(0, { kind: "credit", bytes: 0 });
    expect(await client.next(0)).toEqual({ kind: "credit", bytes: 0 });
  });
});

describe("a draining broker", () => {
  it("says so, refuses what is new, lets finish what runs, then closes", async () => {
    const { connect, sockets, invoker, url } = await start();
    const [busy, idle] = [await connect(), await connect()];
    busy.invoke(1, "idle");
    const invocation = await invoker.seen();
    const drained = sockets.drain(60_000);
    expect(await idle.closed).toMatchObject({ code: 1001, reason: "draining" });
    expect(await busy.next(0)).toEqual({ kind: "end", head: { reason: "draining" } });
    busy.invoke(2, "echo");
    expect(await busy.next(2)).toMatchObject({ kind: "error", head: { reason: "broker_draining", phase: "admission" } });
    expect(await new RawClient(url).closed).toMatchObject({ code: 1006 });
    invocation.complete("done");
    expect(await busy.next(1)).toMatchObject({ kind: "answer" });
    expect(await busy.closed).toMatchObject({ code: 1001 });
    await drained;
    await sockets.close();
  });

  it("closes what does not finish in time, and abandons it", async () => {
    const { connect, sockets, invoker } = await start();
    const client = await connect();
    client.invoke(1, "idle");
    const invocation = await invoker.seen();
    await sockets.drain(1);
    expect(await invocation.whenCancelled()).toBe("abandoned");
    expect(await client.closed).toMatchObject({ code: 1001 });
  });
});

describe("a broker with all the sockets it takes", () => {
  it("refuses one more, and says why", async () => {
    const { url, connect } = await start({ limits: { sockets: 1 } });
    await connect();
    const socket = new HeaderSocket(url, "longshore.v1");
    const [, response] = (await once(socket, "unexpected-response")) as [unknown, { statusCode: number; headers: Record<string, string>; resume(): void }];
    expect([response.statusCode, response.headers["content-type"]]).toEqual([429, "application/problem+json"]);
    response.resume();
  });
});

describe("a watcher", () => {
  const gone = (agentId: string): FleetEvent => ({ event: "agent_gone", agentId });
  const lines = (bytes: Uint8Array): FleetEvent[] => new TextDecoder().decode(bytes).trimEnd().split("\n").map((line) => JSON.parse(line) as FleetEvent);

  it("is told the state, that it is caught up, then each change, until it cancels", async () => {
    const { connect, events } = await start();
    events.state = [gone("a1"), gone("a2")];
    const client = await connect();
    client.send(1, { kind: "open", head: { what: "watch" }, body: nothing });
    expect(await client.next(1)).toMatchObject({ kind: "answer", head: { complete: false, headers: [["content-type", "application/x-ndjson"]] } });
    expect(lines(((await client.next(1)) as { body: Uint8Array }).body)).toEqual([gone("a1"), gone("a2"), { event: "caught_up" }]);
    events.publish(gone("a3"));
    expect(lines(((await client.next(1)) as { body: Uint8Array }).body)).toEqual([gone("a3")]);
    client.send(1, { kind: "cancel", head: { reason: "abandoned" } });
    expect(await client.next(1)).toMatchObject({ kind: "end", head: { result: { outcome: "cancelled" }, sequenceCount: 2 } });
    expect(events.handlers.size).toBe(0);
  });

  it("that falls too far behind is told so, and costs nothing more", async () => {
    const { connect, events } = await start({ limits: { watchBacklog: 10_000 } });
    const client = await connect();
    client.send(1, { kind: "open", head: { what: "watch" }, body: nothing });
    await client.next(1);
    const long = gone("a".repeat(200));
    for (let count = 0; count < 15_000; count++) events.publish(long);
    const frames = await client.until(1, (frame) => frame.kind === "error");
    expect(frames.at(-1)).toMatchObject({ head: { reason: "quota" } });
    expect(events.handlers.size).toBe(0);
  });

  it("gets everything in order when it grants as it reads", async () => {
    const { connect, events } = await start();
    const client = await connect();
    client.send(1, { kind: "open", head: { what: "watch" }, body: nothing });
    await client.next(1);
    const seen: string[] = [];
    const count = 9_000;
    for (let index = 0; index < count; index++) events.publish(gone(`agent-${index}-${"x".repeat(100)}`));
    while (seen.length < count) {
      const frame = await client.next(1);
      if (frame.kind !== "data") continue;
      client.send(1, { kind: "credit", bytes: frame.body.length });
      seen.push(...lines(frame.body).flatMap((event) => (event.event === "agent_gone" ? [event.agentId] : [])));
    }
    expect(seen.map((agentId) => agentId.split("-")[1])).toEqual(Array.from({ length: count }, (_, index) => `${index}`));
  });

  it("is sent elsewhere by a draining broker, and forgotten when its socket closes", async () => {
    const { connect, events, sockets } = await start();
    const [first, second] = [await connect(), await connect()];
    for (const client of [first, second]) {
      client.send(1, { kind: "open", head: { what: "watch" }, body: nothing });
      await client.until(1, (frame) => frame.kind === "data");
    }
    second.close();
    await second.closed;
    await sockets.drain(60_000);
    expect(await first.next(1)).toMatchObject({ kind: "error", head: { reason: "broker_draining" } });
    expect(events.handlers.size).toBe(0);
  });
});
