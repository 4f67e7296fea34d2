import { type Phase, type Reason, reasons } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { InvocationScene } from "./testing/invocation-scene.ts";

const refusal = (reason: Reason, phase: Phase = "admission") => ({ code: reasons[reason].code, reason, phase, message: "no" });

function sceneOf(agents: readonly string[], document = {}): InvocationScene {
  const scene = new InvocationScene();
  scene.deploy({ document });
  for (const name of agents) scene.agent(name, 4);
  return scene;
}

const agentsAsked = (scene: InvocationScene) => scene.bus.exchanges.map(({ agent }) => agent.agentId);

describe("an order", () => {
  it("carries what is left of the time, the request, and the revision where the agent may not know it", () => {
    const scene = sceneOf([]);
    const revision = scene.deploy({ document: { timeoutMs: 5_000 } });
    scene.agent("a1");
    const first = scene.invoke({ text: "hello", timeoutMs: 60_000 });
    expect(scene.exchangeOf(first)).toMatchObject({
      agent: { siteId: "plant", agentId: "a1" },
      order: { attempt: 1, revisionDigest: revision.digest, revision: { revisionId: "resize-r1" }, remainingMs: 5_000, more: false, bodyBytes: 5, request: { method: "POST" } },
    });
    expect(Buffer.from(scene.exchangeOf(first).body).toString()).toBe("hello");
  });

  it("does not tell the agent where the function's results are told: URLs may hold tokens", () => {
    const scene = sceneOf([]);
    const revision = scene.deploy({ document: { destinations: { onFailure: { url: "https://hooks.example/hush" } } } });
    scene.agent("a1");
    const { order } = scene.exchangeOf(scene.invoke());
    expect(order.revision).toMatchObject({ digest: revision.digest, spec: { name: "resize" } });
    expect(JSON.stringify(order)).not.toContain("hush");
  });

  it("names the revision only by its digest to an agent that says it has it", () => {
    const scene = sceneOf([]);
    const { digest } = scene.deploy();
    scene.fleet.ready("a1", { heartbeat: { revisions: [{ revisionDigest: digest, freeSlots: 0, running: 0, instances: 0, held: 1, starting: 0, imagePresent: true }] } });
    const call = scene.invoke();
    expect(scene.exchangeOf(call).order.revision).toBeUndefined();
    scene.exchangeOf(call).refuse(refusal("revision_unknown"));
    expect(scene.bus.exchanges.map(({ agent, order }) => [agent.agentId, order.attempt, order.revision?.digest])).toEqual([["a1", 1, undefined], ["a1", 2, digest]]);
    scene.exchangeOf(call).complete("done");
    expect(call.front.told).toEqual(["complete succeeded done"]);
  });
});

describe("the credential of a function's registry", () => {
  const capacity = (revisionDigest: string, imagePresent: boolean) => ({ revisionDigest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent });

  it.each([
    ["an agent that has the image", true, false],
    ["an agent that has to bring it", false, true],
  ])("%s: %s", (_, imagePresent, isSent) => {
    const scene = sceneOf([]);
    const revision = scene.deploy();
    const credential = { username: "robot", password: "secret" };
    scene.credentials.set(`acme ${revision.image.reference}`, credential);
    scene.fleet.ready("a1", { heartbeat: { revisions: [capacity(revision.digest, imagePresent)] } });
    const { order } = scene.exchangeOf(scene.invoke());
    expect([order.credential, order.revision !== undefined]).toEqual([isSent ? credential : undefined, isSent]);
  });
});

describe("an attempt that failed before the function began", () => {
  it("goes to another agent where one is busy, as often as it takes: that is no failure", () => {
    const scene = sceneOf(["a1", "a2", "a3", "a4", "a5"]);
    const call = scene.invoke();
    for (let at = 0; at < 4; at += 1) scene.exchangeOf(call).refuse(refusal("agent_busy"));
    expect(new Set(agentsAsked(scene)).size).toBe(5);
    scene.exchangeOf(call).complete("done");
    expect(call.front.told).toEqual(["complete succeeded done"]);
    expect(scene.closingOf(call).attempt).toBe(5);
  });

  it("waits where all are busy, and goes out again at the next heartbeat", () => {
    const scene = sceneOf(["a1"]);
    const call = scene.invoke();
    scene.exchangeOf(call).refuse(refusal("agent_busy"));
    expect(scene.dispatcher.load).toEqual({ waiting: 1, running: 0 });
    scene.freed("a1");
    scene.settle();
    expect(agentsAsked(scene)).toEqual(["a1", "a1"]);
    scene.exchangeOf(call).complete();
    expect(call.front.told).toEqual(["complete succeeded"]);
  });

  it("never goes again to an agent that failed it, and gives up after three", () => {
    const scene = sceneOf(["a1", "a2", "a3", "a4"]);
    const call = scene.invoke();
    for (let at = 0; at < 3; at += 1) scene.exchangeOf(call).fails("no_responders");
    expect(new Set(agentsAsked(scene)).size).toBe(3);
    expect(call.front.told).toEqual(["fail agent_lost"]);
    expect(call.front.error).toMatchObject({ phase: "placement", retryAfterMs: 1_000 });
    expect(scene.closingOf(call).result.outcome).toBe("rejected");
  });

  it("ends with the last agent's own error where all were tried", () => {
    const scene = sceneOf(["a1", "a2"]);
    const call = scene.invoke();
    scene.exchangeOf(call).refuse(refusal("image_pull_failed", "startup"));
    scene.exchangeOf(call).refuse(refusal("engine_unavailable", "startup"));
    expect(call.front.told).toEqual(["fail engine_unavailable"]);
  });

  it("is over where its program does not start: it would not elsewhere", () => {
    const scene = sceneOf(["a1", "a2"]);
    const call = scene.invoke();
    scene.exchangeOf(call).refuse(refusal("instance_start_failed", "startup"));
    expect(call.front.told).toEqual(["fail instance_start_failed"]);
    expect(scene.closingOf(call).result).toMatchObject({ outcome: "rejected", error: { phase: "startup" } });
    expect(scene.bus.exchanges).toHaveLength(1);
  });

  it("is over where the function was removed meanwhile", () => {
    const scene = sceneOf(["a1", "a2"]);
    const call = scene.invoke();
    scene.remove(scene.deploy());
    scene.exchangeOf(call).refuse(refusal("agent_busy"));
    expect(call.front.told).toEqual(["fail function_not_found"]);
  });
});

describe("an attempt that is lost", () => {
  const lose = (document: object, play: (scene: InvocationScene) => void = () => undefined) => {
    const scene = sceneOf(["a1", "a2"], document);
    const call = scene.invoke();
    play(scene);
    scene.exchangeOf(call).fails("bad_frame");
    return { scene, call };
  };

  it("is the end where the function is not idempotent", () => {
    const { scene, call } = lose({});
    expect(call.front.told).toEqual(["complete lost"]);
    expect(scene.bus.exchanges).toHaveLength(1);
  });

  it("is repeated elsewhere where it is", () => {
    const { scene, call } = lose({ idempotent: true });
    expect(new Set(agentsAsked(scene)).size).toBe(2);
    scene.exchangeOf(call).complete("done");
    expect(call.front.told).toEqual(["complete succeeded done"]);
  });

  it("is what its caller is told where nobody else can be reached, or takes it: it may have run", () => {
    const { scene, call } = lose({ idempotent: true });
    const [first] = agentsAsked(scene);
    scene.exchangeOf(call).fails("no_responders");
    expect(call.front.told).toEqual(["complete lost"]);
    expect(scene.closingOf(call)).toMatchObject({ result: { outcome: "lost", error: { reason: "bad_frame", phase: "execution" } }, agent: { address: { agentId: first } } });
  });

  it("is what its caller is told where its time passes before another takes it", () => {
    const { scene, call } = lose({ idempotent: true, timeoutMs: 5_000 });
    scene.exchangeOf(call).refuse(refusal("agent_busy"));
    scene.clock.advance(60_000);
    expect(call.front.told).toEqual(["complete lost"]);
  });

  it("is the end where it is and retries were ruled out", () => {
    const { scene } = lose({ idempotent: true, retry: "never" });
    expect(scene.bus.exchanges).toHaveLength(1);
  });

  it("is the end once something of an answer was passed on", () => {
    const { scene, call } = lose({ idempotent: true }, ({ bus }) => bus.last().head());
    expect(scene.bus.exchanges).toHaveLength(1);
    expect(call.front.told).toEqual(["head", "end lost"]);
  });
});

