import { encodeNumberedFrame, exchangeSubject, type BrokerId, type ExchangeToken, parseAgentSubject, replySubject, runSubject } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { NatsBus } from "../../packages/broker/src/bus/nats.ts";
import { ask, echo, HeldOrders } from "../support/exchange-ends.ts";
import { address, event, TestBus } from "../support/nats.ts";

const honest = address("plant", "honest");
const thief = address("plant", "thief");
const body = (text: string) => new TextEncoder().encode(text);
const answer = (text: string) => encodeNumberedFrame({ kind: "answer", head: { complete: true }, body: body(text) }, 1);

let testBus: TestBus;
let broker: NatsBus;

beforeAll(async () => {
  testBus = await TestBus.start();
  broker = await testBus.broker("b1");
});
afterAll(() => testBus[Symbol.asyncDispose]());

describe("an exchange", () => {
  it("carries head and body to the agent and its answer back", async () => {
    const agent = testBus.agent("plant", "echo");
    await agent.start(echo);
    const { frames } = await ask(broker, address("plant", "echo"), { n: 1 }, body("text"));
    expect(frames).toEqual([{ kind: "answer", head: { complete: true, echoed: { n: 1 } }, body: expect.objectContaining(body("text")) as unknown }]);
  });

  it("carries further frames both ways, in order", async () => {
    const agent = testBus.agent("plant", "streams");
    const held = new HeldOrders();
    await agent.start(held);
    const answered = ask(broker, address("plant", "streams"), {}, body(""), (exchange) => {
      for (let sequence = 1; sequence <= 50; sequence += 1) exchange.send({ kind: "data", sequence, body: body("x") });
      exchange.send({ kind: "end", head: { sequenceCount: 50 } });
    });
    await held.until(() => held.orders[0]?.further.length === 51);
    const order = held.orders[0]!;
    expect(order.further.slice(0, 50).map((frame) => frame.kind === "data" && frame.sequence)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    order.exchange.send({ kind: "answer", head: { complete: false }, body: body("") });
    for (let sequence = 1; sequence <= 50; sequence += 1) order.exchange.send({ kind: "data", sequence, body: body("y") });
    order.exchange.send({ kind: "end", head: { sequenceCount: 50 } });
    const { frames } = await answered;
    expect(frames.map((frame) => frame.kind)).toEqual(["answer", ...Array.from({ length: 50 }, () => "data"), "end"]);
  });

  it("with an agent that is not there fails at once, by the server's word", async () => {
    expect(await ask(broker, address("plant", "nobody"))).toEqual({ frames: [], failed: "no_responders" });
  });

  it("fails with bus_down when the connection is lost, and none can be opened until it is back", async () => {
    const second = await TestBus.start();
    await using _ = second;
    const cut = await second.broker("b9");
    const agent = second.agent("plant", "a1");
    const held = new HeldOrders();
    await agent.start(held);
    const answered = ask(cut, address("plant", "a1"));
    await held.until(() => held.orders.length === 1);
    await second.stopServer();
    expect(await answered).toEqual({ frames: [], failed: "bus_down" });
    await expect(ask(cut, address("plant", "a1"))).rejects.toThrow(expect.objectContaining({ reason: "bus_down" }));
    const back = event<boolean>();
    cut.onConnectionChange(back.happen);
    await second.startServer();
    expect(await back.happened).toBe(true);
    expect((await ask(cut, address("plant", "nobody"))).failed).toBe("no_responders");
  });
});

describe("whoever was not asked", () => {
  it("is not heard, even under the token of an exchange that is open", async () => {
    const held = new HeldOrders();
    const agent = testBus.agent("plant", "honest");
    await agent.start(held);
    const stolen = await testBus.connection(testBus.credential("plant", "thief"));
    const answered = ask(broker, honest);
    await held.until(() => held.orders.length === 1);
    const { brokerId, token } = held.orders[0]!.exchange;

    const before = broker.counters.get("unsolicited_replies") ?? 0;
    stolen.publish(replySubject(thief, brokerId, token), answer("forged"));
    stolen.publish(replySubject(honest, brokerId, token), answer("forged"));
    await stolen.flush();
    await ask(broker, address("plant", "nobody")); // What the thief sent has reached the broker before this comes back.
    expect(broker.counters.get("unsolicited_replies")).toBe(before + 1);

    held.orders[0]!.exchange.send({ kind: "answer", head: { complete: true }, body: body("true") });
    expect((await answered).frames).toEqual([expect.objectContaining({ head: { complete: true } })]);
  });

  it("gets nothing sent to a neighbour by a reply field that names one", async () => {
    const held = new HeldOrders();
    await testBus.agent("plant", "victim").start(held);
    const victim = address("plant", "victim");
    const stolen = await testBus.connection(testBus.credential("plant", "thief"));
    const orders: string[] = [];
    stolen.subscribe("longshore.v1.agent.plant.thief.>", { callback: (_, { subject }) => void orders.push(subject) });
    await stolen.flush();

    const opened = ask(broker, thief);
    while (orders.length === 0) await stolen.flush();
    const { brokerId, token } = parseAgentSubject(orders[0]!) as { brokerId: BrokerId; token: ExchangeToken };
    const reply = runSubject(victim, brokerId, "t0" as ExchangeToken);
    stolen.publish(replySubject(thief, brokerId, token), encodeNumberedFrame({ kind: "answer", head: { complete: false }, body: body("") }, 1), { reply });
    stolen.publish(replySubject(thief, brokerId, token), encodeNumberedFrame({ kind: "end", head: {} }, 2), { reply });
    expect((await opened).frames).toHaveLength(2);
    // The server's own word on an undelivered message goes to who sent it, never to whom it names.
    stolen.publish(replySubject(thief, "gone" as BrokerId, token), body(""), { reply });
    stolen.publish("longshore.v1.site.plant.thief.heartbeat", body("{}"), { reply });
    await stolen.flush();
    await ask(broker, address("plant", "nobody"));
    expect(held.orders).toEqual([]);
  });

  it("cannot speak for another in a heartbeat, and what is malformed is dropped and counted", async () => {
    const heard: string[] = [];
    broker.listen({ heartbeat: (from) => heard.push(from.agentId), introduction: () => undefined, orphan: () => undefined, outcome: () => undefined });
    const stolen = await testBus.connection(testBus.credential("plant", "thief"));
    const beat = (agentId: string, more: object = {}) =>
      body(JSON.stringify({ agentId, siteId: "plant", incarnation: "i", sequence: 1, state: "ready", memoryBytes: 1, memoryFreeBytes: 1, instancesMax: 1, instancesFree: 1, running: 0, idle: 0, held: 0, revisions: [], ...more }));
    const subject = "longshore.v1.site.plant.thief.heartbeat";
    const before = broker.counters.get("malformed_messages") ?? 0;
    for (const bad of [beat("honest"), beat("thief", { running: -1 }), beat("thief", { memoryBytes: 1e300 }), body("{"), body('"text"'), new Uint8Array(0)]) stolen.publish(subject, bad);
    stolen.publish(subject, beat("thief"));
    await stolen.flush();
    await ask(broker, address("plant", "nobody"));
    expect(heard).toEqual(["thief"]);
    expect(broker.counters.get("malformed_messages")).toBe(before + 6);
  });

  it("ends only its own exchange by a frame that cannot be read", async () => {
    const stolen = await testBus.connection(testBus.credential("cloud", "garbler"));
    stolen.subscribe("longshore.v1.agent.cloud.garbler.>", {
      callback: (_, { subject }) => {
        const { brokerId, token } = parseAgentSubject(subject) as { brokerId: BrokerId; token: ExchangeToken };
        stolen.publish(replySubject(address("cloud", "garbler"), brokerId, token), body("\u0001\u0000\u0000\u0000nonsense"));
      },
    });
    await stolen.flush();
    expect(await ask(broker, address("cloud", "garbler"))).toEqual({ frames: [], failed: "bad_frame" });
  });
});

describe("an agent", () => {
  it("opens an exchange once and takes each frame once, however often they arrive", async () => {
    const held = new HeldOrders();
    await testBus.agent("cloud", "twice").start(held);
    const broker2 = await testBus.connection(testBus.bus.access.fleet);
    const agent = address("cloud", "twice");
    const [id, token] = ["b2" as BrokerId, "t7" as ExchangeToken];
    const open = encodeNumberedFrame({ kind: "open", head: {}, body: body("") }, 1);
    const data = (number: number) => encodeNumberedFrame({ kind: "data", sequence: number, body: body("") }, number);
    broker2.publish(runSubject(agent, id, token), open);
    for (const number of [2, 2, 4, 3, 4]) broker2.publish(exchangeSubject(agent, id, token), data(number));
    broker2.publish(runSubject(agent, id, token), open);
    broker2.publish(runSubject(agent, id, "t8" as ExchangeToken), open);
    await held.until(() => held.orders.length === 2);
    expect(held.orders[0]?.further.map((frame) => frame.kind === "data" && frame.sequence)).toEqual([2, 3, 4]);
    expect(held.orders[1]?.exchange.token).toBe("t8");
  });
});
