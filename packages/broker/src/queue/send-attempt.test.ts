import { type AgentAddress, createInvocationId, LongshoreError, type RunOrder } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { FakeBus } from "../invocation/testing/fake-bus.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { sendAttempt } from "./send-attempt.ts";

const agent = { siteId: "plant", agentId: "a1" } as AgentAddress;
const order: RunOrder = { invocationId: createInvocationId(), attempt: 1, revisionDigest: "d", remainingMs: 1_000, request: { method: "POST", target: "/", headers: [] }, more: false, accepted: { acceptedAt: "2026-11-28T10:00:00.000Z", incarnation: "p1" } };

function send() {
  const bus = new FakeBus();
  const sent = sendAttempt({ bus, clock: new ManualClock() }, agent, order, Buffer.from("payload"));
  return { sent, exchange: bus.last() };
}

describe("sendAttempt()", () => {
  it("is done when the agent has begun, and closes its exchange then", async () => {
    const { sent, exchange } = send();
    expect([exchange.agent, exchange.order, Buffer.from(exchange.body).toString()]).toEqual([agent, order, "payload"]);
    exchange.receive({ kind: "answer", head: { complete: true, headers: [], begun: true }, body: new Uint8Array(0) });
    expect(await sent.outcome).toEqual({ what: "begun" });
    expect(exchange.isClosed).toBe(true);
  });

  it.each(["admission", "placement", "startup"] as const)("knows that what is refused at %s has not begun", async (phase) => {
    const { sent, exchange } = send();
    exchange.refuse(new LongshoreError("agent_busy", "Cannot run: no free slot", { phase }));
    expect(await sent.outcome).toMatchObject({ what: "not_begun", error: { reason: "agent_busy", phase } });
  });

  it("knows that nothing has begun where nobody listened", async () => {
    const { sent, exchange } = send();
    exchange.fails("no_responders");
    expect(await sent.outcome).toMatchObject({ what: "not_begun", error: { reason: "agent_lost", phase: "placement" } });
  });

  it.each([
    ["the bus goes away", (exchange: FakeExchangeOf) => exchange.fails("bus_down")],
    ["the answer cannot be read", (exchange: FakeExchangeOf) => exchange.fails("bad_frame")],
    ["the refusal does not say how far it came", (exchange: FakeExchangeOf) => exchange.refuse(new LongshoreError("unexpected", "Cannot"))],
    ["the refusal came too late", (exchange: FakeExchangeOf) => exchange.refuse(new LongshoreError("unexpected", "Cannot", { phase: "execution" }))],
    ["the refusal is none", (exchange: FakeExchangeOf) => exchange.receive({ kind: "error", head: {} })],
    ["the agent ran it like any other", (exchange: FakeExchangeOf) => exchange.complete("answer", { status: 200 })],
    ["the agent streams an answer", (exchange: FakeExchangeOf) => exchange.head({ status: 200 })],
  ])("does not know where %s", async (_, act) => {
    const { sent, exchange } = send();
    act(exchange);
    expect(await sent.outcome).toEqual({ what: "unknown" });
  });

  it("passes a cancel on, and takes the agent's word that it never began", async () => {
    const { sent, exchange } = send();
    sent.cancel();
    expect(exchange.sent("cancel")).toEqual([{ kind: "cancel", head: { reason: "requested" } }]);
    exchange.complete("", { result: { outcome: "cancelled", message: "Cancelled before it began" } });
    expect(await sent.outcome).toMatchObject({ what: "ended", result: { outcome: "cancelled" } });
  });

  it("throws where there is no bus: nothing was sent", () => {
    const bus = new FakeBus();
    bus.isDown = true;
    expect(() => sendAttempt({ bus, clock: new ManualClock() }, agent, order, new Uint8Array(0))).toThrow(expect.objectContaining({ reason: "bus_down" }));
  });
});

type FakeExchangeOf = ReturnType<FakeBus["last"]>;
