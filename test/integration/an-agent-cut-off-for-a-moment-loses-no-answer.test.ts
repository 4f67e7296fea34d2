import type { Frame } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { CuttableLink } from "../support/cuttable-link.ts";
import { ask, HeldOrders } from "../support/exchange-ends.ts";
import { address, TestBus } from "../support/nats.ts";

const answer = (text: string): Frame => ({ kind: "answer", head: { complete: true, text }, body: new Uint8Array(0) });

/** A broker and an agent whose link can be cut, with one order under way. */
async function orderUnderWay(testBus: TestBus, link: CuttableLink) {
  const broker = await testBus.broker("b1");
  const held = new HeldOrders();
  const agent = testBus.agent("plant", "a1", { ...testBus.credential("plant", "a1"), servers: [`nats://127.0.0.1:${link.port}`] });
  await agent.start(held);
  const answered = ask(broker, address("plant", "a1"));
  await held.until(() => held.orders.length === 1);
  return { agent, held, answered, exchange: held.orders[0]!.exchange };
}

describe("an agent that is cut off for a moment", () => {
  it("delivers the answer that it gave meanwhile", async () => {
    await using testBus = await TestBus.start();
    await using link = await CuttableLink.to(testBus.bus.port);
    const { agent, held, answered, exchange } = await orderUnderWay(testBus, link);
    link.cut();
    await held.until(() => !agent.connected);
    exchange.send(answer("given while cut off"));
    link.heal();
    expect(await answered).toEqual({ frames: [expect.objectContaining({ head: { complete: true, text: "given while cut off" } })], failed: undefined });
    expect(held.orders).toHaveLength(1);
  });

  it("sends again what left it and was lost on the way", async () => {
    await using testBus = await TestBus.start();
    await using link = await CuttableLink.to(testBus.bus.port);
    const { agent, held, answered, exchange } = await orderUnderWay(testBus, link);
    link.blackHole();
    for (let sequence = 1; sequence <= 3; sequence += 1) exchange.send({ kind: "data", sequence, body: new Uint8Array(10) });
    exchange.send(answer("sent into the void"));
    link.cut();
    await held.until(() => !agent.connected);
    link.heal();
    const { frames } = await answered;
    expect(frames.map((frame) => frame.kind)).toEqual(["data", "data", "data", "answer"]);
  });

  it("comes back by itself after the server was away", async () => {
    await using testBus = await TestBus.start();
    const held = new HeldOrders();
    const agent = testBus.agent("plant", "a1");
    await agent.start(held);
    await testBus.stopServer();
    await held.until(() => !agent.connected);
    await testBus.startServer();
    await held.until(() => agent.connected);
    void ask(await testBus.broker("b1"), address("plant", "a1"));
    await held.until(() => held.orders.length === 1);
  });
});
