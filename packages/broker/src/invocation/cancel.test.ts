import { describe, expect, it } from "vitest";
import { InvocationScene } from "./testing/invocation-scene.ts";

function readyScene(): InvocationScene {
  const scene = new InvocationScene();
  scene.deploy({ document: { stopGraceMs: 2_000 } });
  scene.agent("a1");
  return scene;
}

/** As DELETE of another connection does it. */
function cancelById(scene: InvocationScene, invocationId: string): void {
  scene.dispatcher.inflight.get("acme", invocationId)?.cancelById();
}

const cancelled = { outcome: "cancelled" } as const;

describe("a caller who leaves", () => {
  it("ends the run, and the outcome is the agent's to say", () => {
    const scene = readyScene();
    const call = scene.invoke();
    call.handle.cancel("abandoned");
    call.handle.cancel("requested");
    expect(scene.exchangeOf(call).sent("cancel")).toEqual([{ kind: "cancel", head: { reason: "abandoned" } }]);
    expect(scene.closings).toEqual([]);
    scene.exchangeOf(call).complete("", { result: cancelled });
    expect(scene.closingOf(call).result.outcome).toBe("cancelled");
  });

  it("hears of a run that ended before its cancel arrived", () => {
    const scene = readyScene();
    const call = scene.invoke();
    call.handle.cancel("requested");
    scene.exchangeOf(call).complete("done");
    expect(call.front.told).toEqual(["complete succeeded done"]);
  });

  it("leaves no doubt open for longer than the image's grace and ours: what is not proven is said", () => {
    const scene = readyScene();
    const call = scene.invoke({ timeoutMs: 30_000 });
    call.handle.cancel("requested");
    scene.clock.advance(4_000);
    scene.fleet.heartbeat("a1");
    scene.clock.advance(2_999);
    expect(call.front.told).toEqual([]);
    scene.clock.advance(1);
    expect(call.front.told).toEqual(["complete cancelled"]);
    expect(scene.closingOf(call).result.stopProven).toBe(false);
  });

  it("whose run had not begun has it cancelled, whatever the agent's reason", () => {
    const scene = readyScene();
    scene.agent("a2");
    const call = scene.invoke();
    call.handle.cancel("requested");
    scene.exchangeOf(call).refuse({ code: "resource_exhausted", reason: "agent_busy", phase: "admission", message: "no" });
    expect(call.front.told).toEqual(["complete cancelled"]);
    expect(scene.bus.exchanges).toHaveLength(1);
  });

  it("has what it never read taken, so that the end can come", () => {
    const scene = readyScene();
    const call = scene.invoke({ isSlow: true });
    const exchange = scene.exchangeOf(call);
    exchange.head();
    exchange.data(1, new Uint8Array(128 * 1024));
    exchange.data(2, new Uint8Array(128 * 1024));
    expect(exchange.sent("credit")).toEqual([]);
    call.handle.cancel("abandoned");
    expect(exchange.sent("credit")).toEqual([{ kind: "credit", bytes: 256 * 1024 }]);
    exchange.data(3, new Uint8Array(256 * 1024));
    expect(exchange.sent("credit")).toHaveLength(2);
    expect(call.front.told).toHaveLength(3);
  });

  it("leaves a detached run going, whose answer is kept", () => {
    const scene = readyScene();
    const call = scene.invoke({ detach: true });
    call.handle.cancel("abandoned");
    const exchange = scene.exchangeOf(call);
    expect(exchange.sent("cancel")).toEqual([]);
    exchange.head();
    exchange.data(1, "late");
    exchange.end({ sequenceCount: 1 });
    const { result, body } = scene.closingOf(call);
    expect(result.outcome).toBe("succeeded");
    expect(Buffer.from(body ?? []).toString()).toBe("late");
  });

  it("of a detached run can still be followed by a cancel on request", () => {
    const scene = readyScene();
    const call = scene.invoke({ detach: true });
    call.handle.cancel("abandoned");
    cancelById(scene, call.invocationId);
    expect(scene.exchangeOf(call).sent("cancel")).toEqual([{ kind: "cancel", head: { reason: "requested" } }]);
  });

  it("while waiting for a slot is cancelled at once, with a record and no order", () => {
    const scene = readyScene();
    scene.invoke();
    const call = scene.invoke();
    call.handle.cancel("abandoned");
    expect(call.front.told).toEqual(["complete cancelled"]);
    expect(scene.closingOf(call)).toMatchObject({ isRecorded: true, attempt: 0 });
    expect(scene.dispatcher.load).toEqual({ waiting: 0, running: 1 });
  });
});

describe("a cancel by id", () => {
  it("while the answer comes ends it by its end, once", () => {
    const scene = readyScene();
    const call = scene.invoke();
    const exchange = scene.exchangeOf(call);
    exchange.head();
    exchange.data(1, "one");
    cancelById(scene, call.invocationId);
    exchange.end({ sequenceCount: 1, result: cancelled });
    expect(call.front.told).toEqual(["head", "data one", "end cancelled"]);
  });

  it("before the answer came leaves the caller an answer that is whole, if the run ended first", () => {
    const scene = readyScene();
    const call = scene.invoke();
    cancelById(scene, call.invocationId);
    const exchange = scene.exchangeOf(call);
    exchange.head();
    exchange.data(1, "all");
    exchange.end({ sequenceCount: 1 });
    expect(call.front.told).toEqual(["head", "data all", "end succeeded"]);
  });

  it("in the middle of an answer drops none of it under an end that looks whole", () => {
    const scene = readyScene();
    const call = scene.invoke();
    const exchange = scene.exchangeOf(call);
    exchange.head();
    exchange.data(1, "one");
    cancelById(scene, call.invocationId);
    exchange.data(2, "two");
    exchange.end({ sequenceCount: 2 });
    expect(call.front.told).toEqual(["head", "data one", "data two", "end succeeded"]);
  });

  it("of a caller who leaves afterwards has the rest taken, so that the end can come", () => {
    const scene = readyScene();
    const call = scene.invoke({ isSlow: true });
    const exchange = scene.exchangeOf(call);
    exchange.head();
    exchange.data(1, new Uint8Array(512 * 1024));
    cancelById(scene, call.invocationId);
    call.handle.cancel("abandoned");
    expect(exchange.sent("credit")).toEqual([{ kind: "credit", bytes: 512 * 1024 }]);
    expect(exchange.sent("cancel")).toHaveLength(1);
  });

  it("of a caller who does not read ends within the grace", () => {
    const scene = readyScene();
    const call = scene.invoke({ isSlow: true });
    scene.exchangeOf(call).head();
    scene.exchangeOf(call).data(1, new Uint8Array(512 * 1024));
    cancelById(scene, call.invocationId);
    scene.clock.advance(7_000);
    expect(call.front.endings).toEqual(["end cancelled"]);
  });
});

describe("an answer that a caller cancelled before its head came", () => {
  it("is not told, and ends once", () => {
    const scene = readyScene();
    const call = scene.invoke();
    call.handle.cancel("requested");
    const exchange = scene.exchangeOf(call);
    exchange.head();
    exchange.data(1, "unread");
    exchange.end({ sequenceCount: 1, result: cancelled });
    expect(call.front.told).toEqual(["complete cancelled"]);
  });
});
