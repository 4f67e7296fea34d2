import type { InstanceId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../testing/revision.ts";
import { createPoolScene, mebibyte, settled } from "./testing/pool-scene.ts";

const resize = testRevision({ name: "resize", concurrency: 2 });
const other = testRevision({ name: "other", concurrency: 1 });
const words = testRevision({ name: "words", contract: "stdio" });

describe("a slot", () => {
  it("of an idle instance is granted at once, as warm", async () => {
    const scene = createPoolScene();
    (await scene.busy(resize)).lease?.release(true);
    expect(scene.acquire(resize).lease).toMatchObject({ start: "warm", instanceId: "i-1" });
  });

  it("comes of a held instance that is begun for whoever waits, and another is held after a while", async () => {
    const scene = createPoolScene();
    await scene.hold(resize);
    const waiter = scene.acquire(resize);
    expect(scene.phases()).toEqual(["starting"]);
    scene.launcher.of("i-1").ready();
    await settled();
    expect(waiter.lease?.start).toBe("held");
    scene.clock.advance(49);
    expect(scene.launcher.preparations).toHaveLength(0);
    scene.clock.advance(1);
    scene.launcher.next();
    await settled();
    expect(scene.phases()).toEqual(["ready", "held"]);
  });

  it("comes of a program that has the host to itself while it begins, for two seconds", async () => {
    const scene = createPoolScene();
    await scene.hold(resize);
    await scene.hold(other);
    scene.acquire(resize);
    scene.clock.advance(1_000);
    scene.acquire(other);
    expect(scene.phases()).toEqual(["starting", "starting"]);
    scene.launcher.of("i-1").ready();
    await settled();
    scene.clock.advance(1_000);
    expect(scene.launcher.preparations).toHaveLength(0);
    scene.clock.advance(50);
    expect(scene.launcher.preparations).toHaveLength(2);
  });

  it("comes of one program after another where processors are taken, and of all at once where they are not", async () => {
    const scene = createPoolScene({ beginningAtOnce: 2, preparingMax: 10 });
    const single = testRevision({ name: "single", concurrency: 1, memoryBytes: 64 * mebibyte });
    scene.waitedUs = 0;
    for (let count = 0; count < 6; count += 1) scene.acquire(single);
    while (scene.launcher.preparations.length > 0) scene.launcher.next();
    await settled();
    const beginning = () => scene.phases().filter((phase) => phase === "starting").length;
    expect(beginning()).toBe(2);
    scene.waitedUs += 100_000;
    scene.clock.advance(100);
    expect(beginning()).toBe(2);
    scene.launcher.containers.find((container) => container.isStarting)?.ready();
    await settled();
    expect(beginning()).toBe(2); // Another in its place.
    scene.clock.advance(100);
    expect(beginning()).toBe(4);
  });

  it("comes of a start from nothing where none is held", async () => {
    const scene = createPoolScene();
    const waiter = await scene.busy(resize);
    expect(waiter.lease).toMatchObject({ start: "cold", instanceId: "i-1" });
  });

  it("comes of a plain start where there is nothing to hold with", async () => {
    const scene = createPoolScene();
    scene.launcher.canBeHeld = false;
    scene.pool.hold(resize, 1);
    scene.clock.advance(1_000);
    expect(scene.launcher.preparations).toHaveLength(0);
    expect((await scene.busy(resize)).lease?.start).toBe("cold");
  });

  it("takes an instance that is nearly held rather than another one", async () => {
    const scene = createPoolScene();
    scene.pool.hold(resize, 1);
    scene.clock.advance(0);
    const waiter = scene.acquire(resize);
    expect(scene.launcher.preparations).toHaveLength(1);
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-1").ready();
    await settled();
    expect(waiter.lease?.start).toBe("cold");
  });

  it("is given to as many as the instance has slots for, and a further one starts another", async () => {
    const scene = createPoolScene();
    await scene.busy(resize);
    const [second, third] = [scene.acquire(resize), scene.acquire(resize)];
    expect(second.lease?.instanceId).toBe("i-1");
    expect(third.lease).toBeUndefined();
    expect(scene.launcher.preparations).toHaveLength(1);
  });

  it("is served by an instance that falls idle before the start is done, and the start is kept held", async () => {
    const scene = createPoolScene();
    scene.pool.hold(other, 1);
    const first = await scene.busy(other);
    const waiter = scene.acquire(other);
    first.lease?.release(true);
    expect(waiter.lease).toMatchObject({ start: "warm", instanceId: "i-1" });
    scene.launcher.next();
    await settled();
    expect(scene.phases()).toEqual(["ready", "held"]);
  });

  it("that nobody waits for any more begins nothing", async () => {
    const scene = createPoolScene();
    const waiter = scene.acquire(resize);
    waiter.stopWaiting();
    const container = scene.launcher.next();
    await settled();
    expect(container).toMatchObject({ hasBegun: false, ending: "discard" });
    container.remove();
    await settled();
    expect(scene.pool.instances.size).toBe(0);
  });

  it("of a command-line instance serves once", async () => {
    const scene = createPoolScene();
    const waiter = await scene.busy(words);
    waiter.lease?.release(true);
    expect(scene.phases()).toEqual(["stopping"]);
    expect(scene.acquire(words).lease).toBeUndefined();
  });

  it("released twice counts once", async () => {
    const scene = createPoolScene();
    const first = await scene.busy(resize);
    const second = scene.acquire(resize);
    first.lease?.release(true);
    first.lease?.release(true);
    expect(second.lease?.isAlone()).toBe(true);
    expect([...scene.pool.instances][0]?.state).toMatchObject({ phase: "ready", active: 1 });
  });

  it("of an instance that is not reusable ends it once its neighbours are done", async () => {
    const scene = createPoolScene();
    const first = await scene.busy(resize);
    const second = scene.acquire(resize);
    expect(first.lease?.isAlone()).toBe(false);
    first.lease?.release(false);
    expect(scene.phases()).toEqual(["ready"]);
    expect(scene.acquire(resize).lease).toBeUndefined();
    second.lease?.release(true);
    expect(scene.launcher.of("i-1").ending).toBe("stop");
  });

  it("of an instance in which something was killed for memory is its last: no later failure is taken for that one's", async () => {
    const scene = createPoolScene();
    const waiter = await scene.busy(resize);
    scene.launcher.of("i-1").hasRunOutOfMemory = true;
    waiter.lease?.release(true);
    expect(scene.launcher.of("i-1").ending).toBe("stop");
  });

  it("is refused as agent_busy where nothing can be ended for it", async () => {
    const scene = createPoolScene({ memoryBytes: 256 * mebibyte });
    await scene.busy(resize);
    expect(scene.acquire(other).error).toMatchObject({ reason: "agent_busy", phase: "admission" });
    expect(scene.acquire(testRevision({ name: "huge", memoryBytes: 2 ** 40 })).error?.reason).toBe("agent_busy");
  });

  it("is refused where the revision has as many instances as it may have here", async () => {
    const scene = createPoolScene();
    const single = testRevision({ name: "single", concurrency: 1, maxInstancesPerAgent: 1 });
    const first = await scene.busy(single);
    expect(scene.acquire(single).error?.reason).toBe("agent_busy");
    first.lease?.release(false);
    expect(scene.acquire(single).error?.reason).toBe("agent_busy"); // It is not gone yet.
    scene.launcher.of("i-1").remove();
    await settled();
    expect(scene.acquire(single).error).toBeUndefined();
  });
});

/** What starts at once and is wanted no more has had its turn after that. */
const turnMs = 250;

describe("room", () => {
  it("is made by ending what is held and what is idle, least recently used first", async () => {
    const scene = createPoolScene({ memoryBytes: 520 * mebibyte });
    (await scene.busy(other)).lease?.release(true);
    scene.clock.advance(turnMs);
    await scene.hold(words);
    scene.clock.advance(1);
    await scene.busy(resize);
    scene.clock.advance(1);
    const waiter = scene.acquire(testRevision({ name: "fourth" }));
    expect(waiter.error).toBeUndefined();
    expect(scene.launcher.of("i-1").ending).toBe("stop");
    expect(scene.launcher.containers.filter(({ ending }) => ending === undefined)).toHaveLength(2);
  });

  it("of its own held ones may be used for one more start", async () => {
    const scene = createPoolScene({ memoryBytes: 260 * mebibyte });
    scene.pool.hold(resize, 2);
    scene.clock.advance(0);
    scene.launcher.next();
    scene.launcher.next();
    await settled();
    const waiter = scene.acquire(resize);
    expect(waiter.error).toBeUndefined();
    expect(scene.launcher.of("i-2").ending).toBe("discard");
    scene.launcher.of("i-2").remove();
    await settled();
    scene.launcher.of("i-1").ready();
    await settled();
    expect(waiter.lease?.start).toBe("held");
  });

  it("is not taken before what was ended for it is gone", async () => {
    const scene = createPoolScene({ memoryBytes: 256 * mebibyte });
    (await scene.busy(other)).lease?.release(true);
    scene.clock.advance(turnMs);
    const waiter = scene.acquire(resize);
    await settled();
    expect(scene.launcher.preparations).toHaveLength(0);
    scene.launcher.of("i-1").remove();
    await settled();
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-2").ready();
    await settled();
    expect(waiter.lease?.start).toBe("cold");
  });

  it("promised to nobody any more goes to whoever asks next", async () => {
    const scene = createPoolScene({ memoryBytes: 256 * mebibyte });
    (await scene.busy(other)).lease?.release(true);
    scene.clock.advance(turnMs);
    scene.acquire(resize).stopWaiting();
    expect(scene.phases()).toEqual(["stopping"]);
    expect(scene.acquire(words).error).toBeUndefined();
  });

  it("is never made of what has work", async () => {
    const scene = createPoolScene({ memoryBytes: 512 * mebibyte });
    await scene.busy(resize);
    await scene.busy(other);
    expect(scene.acquire(words).error?.reason).toBe("agent_busy");
    expect(scene.launcher.containers.filter(({ ending }) => ending !== undefined)).toEqual([]);
  });
});

describe("a start that fails", () => {
  it("refuses those who waited for it, and no more", async () => {
    const scene = createPoolScene();
    const waiters = [scene.acquire(resize), scene.acquire(resize), scene.acquire(resize)];
    scene.launcher.preparations[0]?.fail();
    await settled();
    expect(waiters.map(({ error }) => error?.reason)).toEqual([undefined, undefined, "image_pull_failed"]);
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-2").failToStart();
    await settled();
    expect(waiters.map(({ error }) => error?.reason)).toEqual(["instance_start_failed", "instance_start_failed", "image_pull_failed"]);
    expect(scene.launcher.of("i-2").ending).toBe("stop");
  });

  it("backs off from making more ahead of need, longer each time, until one serves", async () => {
    const scene = createPoolScene();
    scene.pool.hold(resize, 1);
    const waits: number[] = [];
    scene.clock.advance(0);
    for (let failures = 0; failures < 9; failures += 1) {
      scene.launcher.preparations[0]?.fail();
      await settled();
      const failedAtMs = scene.clock.monotonicMs();
      while (scene.launcher.preparations.length === 0 && scene.clock.monotonicMs() < failedAtMs + 60_000) scene.clock.advance(50);
      waits.push(scene.clock.monotonicMs() - failedAtMs);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
  });

  it("of a program that crashes at its start backs off too, though its container can be made", async () => {
    const scene = createPoolScene();
    const eager = testRevision({ name: "eager" });
    scene.pool.hold(eager, 1, 1);
    let begun = 0;
    for (let step = 0; step < 200; step += 1) {
      scene.clock.advance(50);
      for (const preparation of [...scene.launcher.preparations]) preparation.succeed();
      await settled();
      for (const container of [...scene.launcher.containers]) {
        if (container.isStarting) container.failToStart();
        await settled();
        if (container.ending === undefined) continue;
        if (container.hasBegun) begun += 1;
        container.remove();
      }
      await settled();
    }
    expect(begun).toBeLessThanOrEqual(6); // 0, 0.5, 1.5, 3.5, 7.5 s of ten.
  });

  it("of one function does not keep another from being refilled", async () => {
    const scene = createPoolScene();
    scene.pool.hold(other, 1);
    scene.clock.advance(0);
    scene.launcher.preparations[0]?.fail();
    await settled();
    scene.clock.advance(60);
    scene.pool.hold(resize, 1);
    scene.clock.advance(0);
    expect(scene.launcher.preparations.map(({ revision }) => revision.functionName)).toEqual(["resize"]);
  });
});

describe("an instance that dies", () => {
  it("while idle is ended, and the next one is started", async () => {
    const scene = createPoolScene();
    (await scene.busy(resize)).lease?.release(true);
    scene.launcher.of("i-1").die();
    await settled();
    expect(scene.phases()).toEqual(["stopping"]);
    expect(scene.acquire(resize)).toMatchObject({ lease: undefined, error: undefined });
  });

  it("while it has work takes nothing new and stays until the work has let go of it", async () => {
    const scene = createPoolScene();
    const waiter = await scene.busy(resize);
    const container = scene.launcher.of("i-1");
    container.die();
    await settled();
    expect(container.ending).toBeUndefined();
    expect(scene.acquire(resize).lease).toBeUndefined();
    expect(waiter.lease?.isBeingEnded()).toBe(false);
    waiter.lease?.release(true);
    expect(container.ending).toBe("stop");
  });

  it("while held is made again after a while, and whoever was promised it gets another", async () => {
    const scene = createPoolScene({ memoryBytes: 560 * mebibyte });
    const busy = await scene.busy(other);
    busy.lease?.release(false); // Its room is not free yet: the start has to wait.
    await scene.hold(resize);
    const second = await scene.busy(words);
    const waiter = scene.acquire(resize);
    expect(scene.phases()).toContain("held");
    scene.launcher.of("i-2").die();
    await settled();
    scene.launcher.of("i-1").remove();
    scene.launcher.of("i-2").remove();
    await settled();
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-4").ready();
    await settled();
    expect(waiter.lease?.instanceId).toBe("i-4");
    second.lease?.release(true);
  });

  it("while starting refuses those who waited with the start's own reason", async () => {
    const scene = createPoolScene();
    const waiter = scene.acquire(resize);
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-1").die();
    await settled();
    expect(waiter.error?.reason).toBe("instance_start_failed");
  });
});

describe("what is kept", () => {
  it("is as many held ones as asked for, the surplus ended", async () => {
    const scene = createPoolScene();
    scene.pool.hold(resize, 2);
    scene.clock.advance(0);
    scene.launcher.next();
    scene.launcher.next();
    await settled();
    scene.pool.hold(resize, 1);
    expect(scene.phases().toSorted()).toEqual(["held", "stopping"]);
    scene.pool.hold(resize, 0);
    expect(scene.phases()).toEqual(["stopping", "stopping"]);
  });

  it("stays within the budget: the held one of the function used longest ago makes way", async () => {
    const scene = createPoolScene({ heldMax: 1 });
    await scene.hold(resize);
    scene.clock.advance(1_000);
    scene.pool.hold(other, 1);
    scene.clock.advance(0);
    expect(scene.launcher.of("i-1").ending).toBe("discard");
    scene.launcher.of("i-1").remove();
    await settled();
    scene.clock.advance(50);
    scene.launcher.next();
    await settled();
    scene.clock.advance(10_000);
    expect(scene.launcher.preparations).toEqual([]);
    expect([...scene.pool.instances].map(({ revision, state }) => [revision.functionName, state.phase])).toEqual([["other", "held"]]);
  });

  it("makes way for none of a function that is used at about the same time: the two would take turns for ever", async () => {
    const scene = createPoolScene({ heldMax: 1 });
    await scene.hold(resize);
    scene.clock.advance(999);
    scene.pool.hold(other, 1);
    scene.clock.advance(60_000);
    expect([...scene.pool.instances].map(({ revision, state }) => [revision.functionName, state.phase])).toEqual([["resize", "held"]]);
  });

  it("is not idle for longer than allowed", async () => {
    const scene = createPoolScene();
    const waiter = await scene.busy(resize);
    scene.clock.advance(120_000);
    expect(scene.phases()).toEqual(["ready"]);
    waiter.lease?.release(true);
    scene.clock.advance(59_999);
    expect(scene.phases()).toEqual(["ready"]);
    scene.clock.advance(8_000);
    expect(scene.phases()).toEqual(["stopping"]);
    scene.launcher.of("i-1").remove();
    await settled();
    scene.clock.advance(1_000);
    expect(scene.clock.pending).toBe(0);
  });

  it("is the minimum of instances, however long they are idle", async () => {
    const scene = createPoolScene();
    const eager = testRevision({ name: "eager", concurrency: 1 });
    const [first, second] = [await scene.busy(eager), await scene.busy(eager)];
    scene.pool.hold(eager, 1, 1);
    first.lease?.release(true);
    second.lease?.release(true);
    scene.clock.advance(200_000);
    expect(scene.phases().filter((phase) => phase === "ready")).toHaveLength(1);
  });

  it("is begun ahead of need up to the minimum", async () => {
    const scene = createPoolScene();
    const eager = testRevision({ name: "eager" });
    scene.pool.hold(eager, 1, 2);
    for (let step = 0; step < 10; step += 1) {
      scene.clock.advance(50);
      for (const preparation of [...scene.launcher.preparations]) preparation.succeed();
      await settled();
      for (const container of scene.launcher.containers) if (container.isStarting) container.ready();
      await settled();
    }
    expect(scene.phases().toSorted()).toEqual(["held", "ready", "ready"]);
  });

  it("never ends what has begun to keep a minimum: two functions do not take turns", async () => {
    const scene = createPoolScene({ memoryBytes: 264 * mebibyte });
    const [a, b] = [testRevision({ name: "a" }), testRevision({ name: "b" })];
    scene.pool.hold(a, 1, 1);
    scene.pool.hold(b, 1, 1);
    const begun = new Set<string>();
    for (let step = 0; step < 100; step += 1) {
      scene.clock.advance(1_000);
      for (const preparation of [...scene.launcher.preparations]) preparation.succeed();
      await settled();
      for (const container of [...scene.launcher.containers]) {
        if (container.hasBegun) begun.add(container.instanceId);
        if (container.isStarting) container.ready();
        if (container.ending !== undefined) container.remove();
      }
      await settled();
    }
    expect(begun.size).toBe(1);
  });
});

describe("a retired revision", () => {
  it("loses what is unused at once and the rest once it is done", async () => {
    const scene = createPoolScene();
    const waiter = await scene.busy(resize);
    await scene.hold(resize);
    scene.pool.retire(resize.digest);
    expect(scene.phases()).toEqual(["ready", "stopping"]);
    waiter.lease?.release(true);
    expect(scene.phases()).toEqual(["stopping", "stopping"]);
  });

  it("still serves whoever asks for it", async () => {
    const scene = createPoolScene();
    await scene.hold(resize);
    scene.pool.retire(resize.digest);
    expect((await scene.busy(resize)).lease?.start).toBe("cold");
  });
});

describe("draining", () => {
  it("refuses new work, serves who waits, ends what is unused, and resolves when nothing is left", async () => {
    const scene = createPoolScene();
    await scene.hold(other);
    const waiter = scene.acquire(resize);
    let isDrained = false;
    const drained = scene.pool.drain().then(() => (isDrained = true));
    expect(scene.acquire(resize).error).toMatchObject({ reason: "agent_draining", phase: "admission" });
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-2").ready();
    await settled();
    expect(waiter.lease).toBeDefined();
    waiter.lease?.release(true);
    await settled();
    expect(isDrained).toBe(false);
    for (const container of [...scene.launcher.containers]) container.remove();
    await drained;
    expect(scene.pool.instances.size).toBe(0);
  });

  it("can be undone: what was held is held again", async () => {
    const scene = createPoolScene();
    await scene.hold(other);
    void scene.pool.drain();
    scene.launcher.of("i-1").remove();
    await settled();
    scene.clock.advance(1_000);
    expect(scene.launcher.preparations).toEqual([]);
    scene.pool.resume();
    scene.clock.advance(0);
    expect(scene.launcher.preparations).toHaveLength(1);
    expect(scene.acquire(other).error).toBeUndefined();
  });

  it("by closing ends what has work too, and says so to who runs there", async () => {
    const scene = createPoolScene();
    const running = await scene.busy(resize);
    const waiting = scene.acquire(other);
    const closed = scene.pool.close();
    expect(waiting.error?.reason).toBe("agent_draining");
    expect(running.lease?.isBeingEnded()).toBe(true);
    scene.launcher.next();
    await settled();
    for (const container of [...scene.launcher.containers]) container.remove();
    await closed;
    await scene.pool.close();
    running.lease?.release(true);
    scene.pool.resume();
    expect(scene.acquire(resize).error?.reason).toBe("agent_draining");
    expect(scene.clock.pending).toBe(0);
  });
});

describe("adoption", () => {
  const id = "i-old" as InstanceId;

  it("takes an instance into use once it shows that it serves, as warm", async () => {
    const scene = createPoolScene();
    const container = scene.launcher.make(id, resize);
    expect(scene.pool.adopt(resize, id, container)).toBe(true);
    const waiter = scene.acquire(resize);
    expect(scene.launcher.preparations).toEqual([]);
    container.ready();
    await settled();
    expect(waiter.lease).toMatchObject({ instanceId: id, start: "warm" });
  });

  it("ends one that does not", async () => {
    const scene = createPoolScene();
    const container = scene.launcher.make(id, resize);
    scene.pool.adopt(resize, id, container);
    container.failToStart();
    await settled();
    expect(container.ending).toBe("stop");
  });

  it("leaves one alone that has no room, that the revision may not have, or that comes too late", async () => {
    const scene = createPoolScene({ memoryBytes: 256 * mebibyte });
    const single = testRevision({ name: "single", maxInstancesPerAgent: 1, memoryBytes: 8 * mebibyte });
    await scene.busy(single);
    expect(scene.pool.adopt(resize, id, scene.launcher.make(id, resize))).toBe(false);
    expect(scene.pool.adopt(single, id, scene.launcher.make(id, single))).toBe(false);
    void scene.pool.drain();
    expect(scene.pool.adopt(testRevision({ name: "small", memoryBytes: 8 * mebibyte }), id, scene.launcher.make(id, resize))).toBe(false);
    expect(scene.pool.instances.size).toBe(1);
  });
});
