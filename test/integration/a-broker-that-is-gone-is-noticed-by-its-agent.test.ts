import { describe, expect, it } from "vitest";
import type { AgentAddress, Frame } from "@longshore/protocol";
import { ask, HeldOrders } from "../support/exchange-ends.ts";
import { address, event, TestBus } from "../support/nats.ts";

const agentAddress = address("plant", "a1");
const answer: Frame = { kind: "answer", head: { complete: true }, body: new Uint8Array([7]) };

/** Starts a broker; resolves once it listens. `taken`: the first orphan that it takes. */
async function takingBroker(testBus: TestBus, brokerId: string): Promise<{ readonly taken: Promise<{ from: AgentAddress; frame: Frame }> }> {
  const { happened, happen } = event<{ from: AgentAddress; frame: Frame }>();
  await testBus.broker(brokerId, { heartbeat: () => undefined, introduction: () => undefined, outcome: () => undefined, orphan: (from, frame) => happen({ from, frame }) });
  return { taken: happened };
}

/** A broker whose exchange an agent holds, and which then goes. */
async function orderOfABrokerThatIsGone(testBus: TestBus) {
  const gone = await testBus.broker("gone");
  const held = new HeldOrders();
  await testBus.agent("plant", "a1").start(held);
  void ask(gone, agentAddress);
  await held.until(() => held.orders.length === 1);
  await gone.close();
  return { held, order: held.orders[0]! };
}

describe("an agent whose broker is gone", () => {
  it("is told so when it answers, by the server's own word, and hands the outcome to another broker", async () => {
    await using testBus = await TestBus.start();
    const { held, order } = await orderOfABrokerThatIsGone(testBus);
    const { taken } = await takingBroker(testBus, "other");
    order.exchange.send(answer);
    await held.until(() => order.goneCount === 1);
    order.exchange.sendOrphan(answer);
    expect(await taken).toEqual({ from: agentAddress, frame: { ...answer, body: expect.objectContaining(answer.body) as unknown } });
  });

  it("keeps the outcome until there is a broker that takes it", async () => {
    await using testBus = await TestBus.start();
    const { held, order } = await orderOfABrokerThatIsGone(testBus);
    order.exchange.send({ kind: "answer", head: { complete: false }, body: new Uint8Array(0) });
    await held.until(() => order.goneCount === 1);
    order.exchange.sendOrphan(answer);
    const restarted = await takingBroker(testBus, "gone");
    expect((await restarted.taken).from).toEqual(agentAddress);
  });

  it("is told so a moment after the answer too, for the broker may have died before it wrote its record", async () => {
    await using testBus = await TestBus.start();
    const asking = await testBus.broker("asking");
    const held = new HeldOrders();
    await testBus.agent("plant", "a1").start(held);
    const answered = ask(asking, agentAddress);
    await held.until(() => held.orders.length === 1);
    held.orders[0]!.exchange.sendOutcome(answer);
    await answered;
    await asking.close();
    await held.until(() => held.orders[0]!.goneCount === 1);
  });

  it("hands each outcome to one broker of several", async () => {
    await using testBus = await TestBus.start();
    const { held, order } = await orderOfABrokerThatIsGone(testBus);
    const taken: string[] = [];
    const first = event();
    for (const brokerId of ["b1", "b2", "b3"]) {
      await testBus.broker(brokerId, { heartbeat: () => undefined, introduction: () => undefined, outcome: () => undefined, orphan: () => { taken.push(brokerId); first.happen(); } });
    }
    order.exchange.send(answer);
    await held.until(() => order.goneCount === 1);
    order.exchange.sendOrphan(answer);
    await first.happened;
    // Whoever else was given it would have it by the time an exchange has gone to the agent and back.
    const last = await testBus.broker("b4");
    void ask(last, agentAddress);
    await held.until(() => held.orders.length === 2);
    expect(taken).toHaveLength(1);
  });
});
