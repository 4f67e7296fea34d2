import { BodyWriter } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { RequestBody } from "./request-body.ts";
import { InvocationScene } from "./testing/invocation-scene.ts";

const kibibyte = 1024;
const part = (byteLength: number) => new Uint8Array(byteLength);
const refusal = { code: "resource_exhausted", reason: "agent_busy", phase: "admission", message: "no" } as const;

/** What an attempt sends. */
function recorder() {
  const sent: string[] = [];
  const writer = new BodyWriter((sequence, chunk) => sent.push(`${sequence}: ${chunk.length}`), (count) => sent.push(`end ${count}`));
  return { sent, writer };
}

describe("the request body of an invocation", () => {
  it("goes with the order where it is small and whole", () => {
    const body = new RequestBody(part(128 * kibibyte), false);
    expect(body.opening).toMatchObject({ body: { length: 128 * kibibyte }, more: false });
  });

  it("goes in parts behind the order where it is large", () => {
    const body = new RequestBody(part(128 * kibibyte + 1), false);
    expect(body.opening).toMatchObject({ body: { length: 0 }, more: true });
    const { sent, writer } = recorder();
    body.attach(writer);
    expect(sent).toEqual(["1: 131072", "2: 1", "end 2"]);
  });

  it("is sent from its first byte to every attempt, until an instance reads it", () => {
    const body = new RequestBody(part(1), true);
    const [first, second] = [recorder(), recorder()];
    body.attach(first.writer);
    body.write(part(10));
    body.detach();
    body.write(part(20));
    body.attach(second.writer);
    body.end();
    expect([first.sent, second.sent]).toEqual([["1: 10"], ["1: 10", "2: 20", "end 2"]]);
    body.began(false);
    expect(body.canReplay).toBe(false);
  });

  it("can be replayed after it was read where the function allows it and it is little", () => {
    const body = new RequestBody(part(1), true);
    body.write(part(512 * kibibyte));
    body.began(true);
    expect(body.canReplay).toBe(true);
    body.write(part(1));
    expect(body.canReplay).toBe(false);
  });

  it("keeps no more than its bound while nobody takes it", () => {
    const body = new RequestBody(part(0), true);
    expect(body.write(part(511 * kibibyte))).toBe(true);
    expect(body.write(part(kibibyte))).toBe(false);
  });
});

describe("a caller whose request body was held", () => {
  it("goes on when an attempt takes all of it at once", () => {
    const scene = new InvocationScene();
    scene.deploy();
    scene.agent("a1");
    const first = scene.invoke();
    const call = scene.invoke({ more: true });
    for (let at = 0; at < 7; at += 1) expect(call.handle.write(part(64 * kibibyte))).toBe(true);
    expect(call.handle.write(part(64 * kibibyte))).toBe(false);
    scene.exchangeOf(first).complete();
    scene.freed("a1");
    scene.settle();
    expect(scene.exchangeOf(call).sent("data").reduce((sum, { body }) => sum + body.length, 0)).toBe(512 * kibibyte);
    expect(call.front.told).toEqual(["drain"]);
  });

  it("goes on when the next attempt takes what waited for the one before", () => {
    const scene = new InvocationScene();
    scene.deploy();
    scene.agent("a1");
    scene.agent("a2");
    const call = scene.invoke({ more: true });
    expect(call.handle.write(part(400 * kibibyte))).toBe(true);
    expect(call.handle.write(part(200 * kibibyte))).toBe(false);
    const before = scene.exchangeOf(call);
    before.refuse(refusal);
    const after = scene.exchangeOf(call);
    expect(after).not.toBe(before);
    after.receive({ kind: "credit", bytes: 512 * kibibyte });
    expect(call.front.told).toEqual(["drain"]);
    call.handle.endRequest();
    expect(after.sent("end")).toEqual([{ kind: "end", head: { sequenceCount: 6 } }]);
  });

  it("is not told to go on when it was not held", () => {
    const scene = new InvocationScene();
    scene.deploy();
    scene.agent("a1");
    const call = scene.invoke({ more: true });
    call.handle.write(part(10));
    expect(call.front.told).toEqual([]);
  });
});

describe("a request of which an instance has read", () => {
  const lost = (isIdempotent: boolean) => {
    const scene = new InvocationScene();
    scene.deploy({ document: { idempotent: isIdempotent } });
    scene.agent("a1");
    scene.agent("a2");
    const call = scene.invoke({ more: true });
    call.handle.write(part(10));
    scene.exchangeOf(call).receive({ kind: "credit", bytes: 10 });
    scene.exchangeOf(call).fails("bad_frame");
    return { scene, call };
  };

  it("is sent to nobody else", () => {
    const { scene, call } = lost(false);
    expect(call.front.told).toEqual(["complete lost"]);
    expect(scene.bus.exchanges).toHaveLength(1);
  });

  it("is sent once more, whole, where the function is idempotent", () => {
    const { scene, call } = lost(true);
    expect(call.front.told).toEqual([]);
    expect(scene.exchangeOf(call).sent("data").map(({ sequence, body }) => [sequence, body.length])).toEqual([[1, 10]]);
    expect(scene.exchangeOf(call).order.attempt).toBe(2);
  });
});
