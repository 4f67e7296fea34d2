import { LongshoreError, type Outcome } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { recordOf } from "./closing.ts";
import { InvocationScene } from "./testing/invocation-scene.ts";

function readyScene(): InvocationScene {
  const scene = new InvocationScene();
  scene.deploy();
  scene.agent("a1");
  return scene;
}

describe("an invocation", () => {
  it.each<Outcome>(["succeeded", "failed", "timed_out", "oom_killed", "cancelled"])("ends %s when its agent says so, and tells where it ran", (outcome) => {
    const scene = readyScene();
    const call = scene.invoke({ text: "in" });
    scene.exchangeOf(call).complete("out", { result: { outcome, exitCode: 3 }, start: "warm", instanceId: "i1", startMs: 1, runMs: 2.0004 });
    expect(call.front.told).toEqual([`complete ${outcome} out`]);
    expect(call.front.lastHead).toMatchObject({ siteId: "plant", agentId: "a1", revisionId: "resize-r1", start: "warm" });
    expect(recordOf(scene.closingOf(call))).toMatchObject({
      functionName: "resize",
      revisionId: "resize-r1",
      agentId: "a1",
      instanceId: "i1",
      attempt: 1,
      start: "warm",
      result: { outcome, exitCode: 3 },
      payloadBytes: 2,
      resultBytes: 3,
      resultKept: true,
      timings: { startMs: 1, runMs: 2, totalMs: 0 },
    });
  });

  it("passes a streamed answer on part by part, and its end", () => {
    const scene = readyScene();
    const call = scene.invoke();
    const exchange = scene.exchangeOf(call);
    exchange.head({ status: 200 });
    exchange.data(1, "one");
    exchange.data(2, "two");
    exchange.end({ sequenceCount: 2, runMs: 5 });
    expect(call.front.told).toEqual(["head", "data one", "data two", "end succeeded"]);
    expect(scene.closingOf(call)).toMatchObject({ resultBytes: 6, runMs: 5 });
    expect(exchange.isClosed).toBe(true);
  });

  it("is refused for a function that is not there, and leaves no record", () => {
    const scene = new InvocationScene();
    const call = scene.invoke();
    expect(call.front.told).toEqual(["fail function_not_found"]);
    expect(scene.closings).toEqual([]);
  });

  it("is refused when no agent may run it, and leaves no record", () => {
    const scene = new InvocationScene();
    scene.deploy();
    const call = scene.invoke();
    expect(call.front.told).toEqual(["fail no_agent_eligible"]);
    expect(scene.closingOf(call)).toMatchObject({ isRecorded: false, result: { outcome: "rejected" } });
  });

  it("is told the bus is down, and is rejected in its record", () => {
    const scene = readyScene();
    scene.bus.isDown = true;
    const call = scene.invoke();
    expect(call.front.told).toEqual(["fail bus_down"]);
    expect(call.front.error?.phase).toBe("placement");
    expect(scene.closingOf(call).result.outcome).toBe("rejected");
  });

  it("is timed out when its agent is heard and says nothing by the deadline and its grace", () => {
    const scene = readyScene();
    const call = scene.invoke({ timeoutMs: 2_000 });
    scene.clock.advance(2_000);
    expect(call.front.told).toEqual([]);
    scene.clock.advance(1_000);
    expect(call.front.told).toEqual(["complete timed_out"]);
    expect(scene.closingOf(call).result).toMatchObject({ outcome: "timed_out", stopProven: false });
    expect(scene.exchangeOf(call).sent("cancel")).toEqual([{ kind: "cancel", head: { reason: "deadline" } }]);
  });

  it("is lost when its agent is not heard by the deadline and its grace", () => {
    const scene = readyScene();
    const call = scene.invoke({ timeoutMs: 7_000 });
    scene.clock.advance(8_000);
    expect(call.front.told).toEqual(["complete lost"]);
  });

  it("is lost when its agent falls silent, and within 15 s", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.clock.advance(14_999);
    expect(call.front.told).toEqual([]);
    scene.clock.advance(1);
    expect(call.front.told).toEqual(["complete lost"]);
    expect(scene.closingOf(call).result.error).toMatchObject({ reason: "agent_lost", phase: "execution" });
  });

  it("is lost in the middle of an answer: the head does not pass for the whole", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.exchangeOf(call).head();
    scene.exchangeOf(call).data(1, "part");
    scene.clock.advance(15_000);
    expect(call.front.told).toEqual(["head", "data part", "end lost"]);
  });

  it("is lost when the bus goes away", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.exchangeOf(call).fails("bus_down");
    expect(call.front.told).toEqual(["complete lost"]);
    expect(scene.closingOf(call).result.error).toMatchObject({ reason: "bus_down", phase: "execution" });
  });

  it("outlives its agent's process when the next one takes over, until the old one falls silent", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.fleet.heartbeat("a1", { state: "draining" });
    scene.fleet.introduction("a1", { incarnation: "second" });
    scene.fleet.heartbeat("a1", { incarnation: "second", sequence: 1 });
    scene.exchangeOf(call).complete("done");
    expect(call.front.told).toEqual(["complete succeeded done"]);
  });

  it("ends with our own error where the agent gives one after it began: nobody can say whether it ran", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.exchangeOf(call).refuse(new LongshoreError("unexpected", "Cannot run", { phase: "execution" }));
    expect(call.front.told).toEqual(["fail unexpected"]);
    expect(scene.closingOf(call).result.outcome).toBe("lost");
  });

  it("ends with our own error in the middle of an answer, and its record tells on which instance", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.exchangeOf(call).head({ instanceId: "i1", start: "held" });
    scene.exchangeOf(call).refuse(new LongshoreError("unexpected", "Cannot go on", { phase: "execution" }));
    expect(call.front.told).toEqual(["head", "fail unexpected"]);
    expect(recordOf(scene.closingOf(call))).toMatchObject({ instanceId: "i1", start: "held", result: { outcome: "lost" } });
  });

  it("may have begun when its agent's error does not say how far it came", () => {
    const scene = readyScene();
    scene.agent("a2");
    const call = scene.invoke();
    scene.exchangeOf(call).refuse({ code: "unavailable", reason: "agent_busy", message: "no" });
    expect(call.front.error).toMatchObject({ reason: "agent_busy", phase: "execution" });
    expect(scene.closingOf(call).result.outcome).toBe("lost");
    expect(scene.bus.exchanges).toHaveLength(1);
  });

  it("is refused while one of the same id is under way, in its own tenant only", () => {
    const scene = readyScene();
    const other = scene.deploy({ tenantId: "other" });
    scene.agent("a2", 8);
    const first = scene.invoke();
    const second = scene.invoke({ invocationId: first.invocationId });
    expect(second.front.told).toEqual(["fail invocation_exists"]);
    const foreign = scene.invoke({ invocationId: first.invocationId, tenantId: other.tenantId as never });
    expect(foreign.front.told).toEqual([]);
    scene.exchangeOf(first).complete();
    expect(scene.dispatcher.inflight.size).toBe(1);
  });

  it("tells its end to nobody twice: what an agent says afterwards is dropped", () => {
    const scene = readyScene();
    const call = scene.invoke();
    const exchange = scene.exchangeOf(call);
    exchange.complete("one");
    exchange.complete("two");
    exchange.fails("bus_down");
    scene.clock.advance(60_000);
    expect(call.front.endings).toEqual(["complete succeeded one"]);
    expect(scene.closings).toHaveLength(1);
  });

  it("gives back whatever it took: no timer, no slot, nothing under way", () => {
    const scene = readyScene();
    const before = scene.clock.pending;
    for (const finish of ["complete", "lost", "cancel"] as const) {
      const call = scene.invoke();
      const exchange = scene.exchangeOf(call);
      if (finish === "complete") exchange.complete();
      else if (finish === "lost") exchange.fails("bus_down");
      else {
        call.handle.cancel("requested");
        exchange.complete("", { result: { outcome: "cancelled" } });
      }
      expect(exchange.isClosed).toBe(true);
      scene.freed("a1");
      expect(scene.fleet.agent("a1").taken).toBe(0);
    }
    expect(scene.dispatcher.load).toEqual({ waiting: 0, running: 0 });
    expect(scene.clock.pending).toBe(before);
  });

  it("is over for its caller when the broker closes, without a record: that is another broker's", () => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.dispatcher.close();
    scene.dispatcher.close();
    expect(call.front.told).toEqual(["fail broker_draining"]);
    expect(scene.closingOf(call).isRecorded).toBe(false);
    expect(scene.exchangeOf(call).sent("cancel")).toEqual([]);
    expect(scene.invoke().front.told).toEqual(["fail broker_draining"]);
  });

  it("is waited for by a drain, until its deadline", async () => {
    const scene = readyScene();
    await scene.dispatcher.drain(1_000);
    const call = scene.invoke();
    const drained = scene.dispatcher.drain(1_000);
    scene.exchangeOf(call).complete();
    await drained;
    scene.freed("a1");
    scene.invoke();
    const cut = scene.dispatcher.drain(1_000);
    scene.clock.advance(1_000);
    await cut;
    expect(scene.dispatcher.inflight.size).toBe(1);
  });
});

describe("an answer that breaks the protocol", () => {
  const breaks: [string, (exchange: ReturnType<InvocationScene["exchangeOf"]>) => void][] = [
    ["a gap", (exchange) => exchange.data(2, "x")],
    ["a part twice", (exchange) => { exchange.data(1, "x"); exchange.data(1, "x"); }],
    ["fewer parts than its end says", (exchange) => exchange.end({ sequenceCount: 1 })],
    ["a second head", (exchange) => exchange.head()],
    ["more than the window", (exchange) => { for (let at = 1; at < 10; at += 1) exchange.data(at, new Uint8Array(128 * 1024)); }],
    ["a frame that is a caller's", (exchange) => exchange.receive({ kind: "cancel", head: {} })],
    ["an end that cannot be read", (exchange) => exchange.receive({ kind: "end", head: { sequenceCount: 0, result: { outcome: "splendid" } } })],
    ["what the bus could not read", (exchange) => exchange.fails("bad_frame")],
  ];

  it.each(breaks)("ends as lost: %s", (_, play) => {
    const scene = readyScene();
    const call = scene.invoke({ isSlow: true });
    const exchange = scene.exchangeOf(call);
    exchange.head({ status: 200 });
    play(exchange);
    expect(call.front.endings).toEqual(["end lost"]);
    expect(call.front.lastEnd?.result.error).toMatchObject({ reason: "bad_frame", phase: "execution" });
    expect(exchange.isClosed).toBe(true);
  });

  it.each([
    ["a part before its head", { kind: "data", sequence: 1, body: new Uint8Array(1) }],
    ["an end before its head", { kind: "end", head: { sequenceCount: 0, result: { outcome: "succeeded" } } }],
    ["a head with a body that others follow", { kind: "answer", head: { complete: false, headers: [] }, body: new Uint8Array(1) }],
    ["a status that is none", { kind: "answer", head: { complete: true, status: 20, result: { outcome: "succeeded" } }, body: new Uint8Array(0) }],
    ["a header that would end its field", { kind: "answer", head: { complete: true, headers: [["a", "b\r\nc: d"]], result: { outcome: "succeeded" } }, body: new Uint8Array(0) }],
    ["no result", { kind: "answer", head: { complete: true }, body: new Uint8Array(0) }],
    ["an error that cannot be read", { kind: "error", head: { code: "odd" } }],
  ] as const)("ends as lost: %s", (_, frame) => {
    const scene = readyScene();
    const call = scene.invoke();
    scene.exchangeOf(call).receive(frame);
    expect(call.front.told).toEqual(["complete lost"]);
    expect(scene.exchangeOf(call).sent("cancel")).toHaveLength(1);
  });
});
