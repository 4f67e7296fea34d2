import { describe, expect, it } from "vitest";
import { testRevision } from "../testing/revision.ts";
import { createPoolScene, mebibyte, settled } from "./testing/pool-scene.ts";

/** Four of them fill a scene. */
const flood = testRevision({ name: "flood", concurrency: 1 });
const wide = testRevision({ name: "wide", concurrency: 10 });
const rare = testRevision({ name: "rare", concurrency: 1 });
const large = testRevision({ name: "large", concurrency: 1, memoryBytes: 512 * mebibyte });

type Scene = ReturnType<typeof createPoolScene>;

async function fullOf(revision: typeof flood) {
  const scene = createPoolScene();
  const busy = [];
  while (scene.pool.instances.size < 4) busy.push(await scene.busy(revision));
  return { scene, busy };
}

/** Whatever ends is gone, and what is made or begun is there. */
async function goOn({ launcher }: Scene) {
  for (const container of [...launcher.containers]) if (container.ending !== undefined) container.remove();
  await settled();
  for (const preparation of [...launcher.preparations]) preparation.succeed();
  await settled();
  for (const container of launcher.containers) if (container.isStarting) container.ready();
  await settled();
}

describe("an agent full of one function's work", () => {
  it("gives another its first instance as soon as one of them has no work, whichever that is", async () => {
    const { scene, busy } = await fullOf(flood);
    const waiter = scene.acquire(rare);
    expect(waiter.error).toBeUndefined();
    busy[2]?.lease?.release(true);
    expect(scene.launcher.of("i-3").ending).toBe("stop");
    await goOn(scene);
    expect(waiter.lease).toMatchObject({ instanceId: "i-5", start: "cold" });
  });

  it("does not let the flood have that slot, though it stands in line for it", async () => {
    const { scene, busy } = await fullOf(flood);
    const waiter = scene.acquire(rare);
    expect(scene.acquire(flood).error?.reason).toBe("agent_busy");
    busy[0]?.lease?.release(true);
    expect(scene.acquire(flood).error?.reason).toBe("agent_busy");
    await goOn(scene);
    expect(waiter.lease).toBeDefined();
  });

  it("has one of its instances take no more, where each of them has many slots", async () => {
    const scene = createPoolScene();
    const busy = [await scene.busy(wide)];
    while (scene.pool.instances.size < 4) {
      while (scene.acquire(wide).lease !== undefined);
      await scene.busy(wide);
    }
    const waiter = scene.acquire(rare);
    const ceding = [...scene.pool.instances].find(({ isCeding }) => isCeding);
    expect(ceding?.instanceId).toBe("i-4"); // It has least work.
    const { state } = ceding ?? {};
    for (let calls = 0; calls < 40; calls += 1) scene.acquire(wide);
    expect(ceding?.state).toBe(state);
    expect(busy[0]?.lease?.isBeingEnded()).toBe(false);
    expect(waiter.answers).toBe(0);
  });

  it("ends as many of them as the other one needs, and leaves one", async () => {
    const { scene, busy } = await fullOf(flood);
    const waiter = scene.acquire(large);
    busy[0]?.lease?.release(true);
    await goOn(scene);
    expect(waiter.answers).toBe(0);
    busy[1]?.lease?.release(true);
    await goOn(scene);
    expect(waiter.lease?.instanceId).toBe("i-5");
    expect(scene.acquire(testRevision({ name: "larger", memoryBytes: 600 * mebibyte })).error?.reason).toBe("agent_busy");
  });

  it("goes on while the other one needs more, one at a time, until both have as many", async () => {
    const { scene, busy } = await fullOf(flood);
    for (const [at, granted] of [true, true, false].entries()) {
      const waiter = scene.acquire(rare);
      expect(waiter.error?.reason).toBe(granted ? undefined : "agent_busy");
      if (granted) expect(scene.acquire(rare).error?.reason).toBe("agent_busy"); // One is on its way.
      busy[at]?.lease?.release(true);
      await goOn(scene);
      expect(waiter.lease !== undefined).toBe(granted);
    }
    expect([...scene.pool.instances].map(({ revision }) => revision.functionName).sort()).toEqual(["flood", "flood", "rare", "rare"]);
  });

  it("is not left with fewer than the other has, though that one needs the room of two", async () => {
    const scene = createPoolScene({ memoryBytes: 1280 * mebibyte });
    const busy = await scene.busy(large);
    const floods = [await scene.busy(flood), await scene.busy(flood), await scene.busy(flood)];
    for (const { lease } of floods) lease?.release(true);
    expect(scene.acquire(large).error?.reason).toBe("agent_busy");
    expect(scene.phases()).toEqual(["ready", "ready", "ready", "ready"]);
    busy.lease?.release(true);
  });

  it("leaves the other what it used a moment ago, and takes it back after that", async () => {
    const { scene, busy } = await fullOf(flood);
    const waiter = scene.acquire(rare);
    busy[0]?.lease?.release(true);
    await goOn(scene);
    waiter.lease?.release(true);
    scene.clock.advance(scene.pool.limits.restMs - 1);
    expect(scene.acquire(flood).error?.reason).toBe("agent_busy");
    scene.clock.advance(1);
    expect(scene.acquire(flood).error).toBeUndefined();
    expect(scene.launcher.of("i-5").ending).toBe("stop");
  });

  it("says to whom it would cede", async () => {
    const { scene, busy } = await fullOf(flood);
    expect(scene.pool.cedesBelow).toBe(3);
    scene.acquire(rare);
    expect(scene.pool.cedesBelow).toBe(2);
    busy[0]?.lease?.release(true);
    await goOn(scene);
    expect(scene.pool.cedesBelow).toBe(2);
  });
});

describe("functions that are more than an agent has room for", () => {
  /** An agent with room for one instance, in which one function was given it after a start of that long. */
  async function oneOf(startMs: number) {
    const scene = createPoolScene({ memoryBytes: 256 * mebibyte });
    const first = scene.acquire(flood);
    scene.clock.advance(startMs);
    await goOn(scene);
    return { scene, first };
  }

  it("have turns of several times what their starts take, not of one invocation each", async () => {
    const { scene, first } = await oneOf(900);
    for (let ms = 0; ms < 2_600; ms += 100) {
      first.lease?.release(true);
      expect([scene.pool.cedesBelow, scene.acquire(rare).error?.reason]).toEqual([0, "agent_busy"]);
      first.lease = scene.acquire(flood).lease;
      scene.clock.advance(100);
    }
    scene.clock.advance(100);
    first.lease?.release(true);
    expect(scene.pool.cedesBelow).toBe(1);
    const next = scene.acquire(rare);
    await goOn(scene);
    expect(next.lease).toBeDefined();
  });

  it("lose the rest of a turn in which they want nothing, and that is told", async () => {
    let changes = 0;
    const { scene, first } = await oneOf(500);
    first.lease?.release(true);
    expect(scene.acquire(rare).error?.reason).toBe("agent_busy");
    scene.onChange = () => (changes += 1);
    scene.clock.advance(499);
    expect([changes, scene.pool.cedesBelow]).toEqual([0, 0]);
    scene.clock.advance(1);
    expect([changes, scene.pool.cedesBelow]).toEqual([1, 1]);
    expect(scene.acquire(rare).error).toBeUndefined();
  });

  it("keep their room for ten seconds at most, and a quarter of a second at least", async () => {
    const slow = await oneOf(60_000);
    slow.scene.clock.advance(9_999);
    slow.first.lease?.release(true);
    expect(slow.scene.pool.cedesBelow).toBe(0);
    slow.scene.clock.advance(1);
    expect(slow.scene.pool.cedesBelow).toBe(1);
    const quick = await oneOf(1);
    quick.first.lease?.release(true);
    quick.scene.clock.advance(249);
    expect(quick.scene.pool.cedesBelow).toBe(0);
    quick.scene.clock.advance(1);
    expect(quick.scene.pool.cedesBelow).toBe(1);
  });
});
