import { heartbeatSchema } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { createPoolScene, mebibyte, settled } from "../instances/testing/pool-scene.ts";
import { testRevision } from "../testing/revision.ts";
import { heartbeatOf } from "./heartbeat.ts";

const origin = { agentId: "a1", siteId: "plant", incarnation: "x", sequence: 1, state: "ready", detail: undefined } as Parameters<typeof heartbeatOf>[0];
const resize = testRevision({ name: "resize", concurrency: 3 });
const other = testRevision({ name: "other", concurrency: 2 });
const words = testRevision({ name: "words", contract: "stdio", memoryBytes: 64 * mebibyte });

function beat({ pool }: ReturnType<typeof createPoolScene>, presentRevisions: string[] = []) {
  return heartbeatSchema.parse(heartbeatOf(origin, pool, (digest) => digest === resize.digest, presentRevisions));
}

describe("a heartbeat", () => {
  it("of an agent with nothing to do has all of its room free", () => {
    expect(beat(createPoolScene())).toMatchObject({ memoryBytes: 1024 * mebibyte, memoryFreeBytes: 1024 * mebibyte, instancesMax: 10, instancesFree: 10, running: 0, idle: 0, held: 0, revisions: [] });
  });

  it("counts what is held or idle as free, and what has work as taken", async () => {
    const scene = createPoolScene();
    await scene.busy(resize);
    scene.acquire(resize);
    (await scene.busy(other)).lease?.release(true);
    await scene.hold(other);
    scene.clock.advance(scene.pool.limits.restMs);
    expect(beat(scene)).toMatchObject({
      cedesBelow: 0,
      memoryFreeBytes: 768 * mebibyte,
      instancesFree: 9,
      running: 2,
      idle: 1,
      held: 1,
      revisions: [
        { revisionDigest: resize.digest, freeSlots: 1, running: 2, instances: 1, held: 0, starting: 0, imagePresent: true },
        { revisionDigest: other.digest, freeSlots: 2, running: 0, instances: 2, held: 1, starting: 0, imagePresent: false },
      ],
    });
  });

  it("counts an idle instance as taken for a while after its last invocation, and as one that a function with none could have", async () => {
    const scene = createPoolScene();
    (await scene.busy(other)).lease?.release(true);
    expect(beat(scene)).toMatchObject({ instancesFree: 9, cedesBelow: 0, idle: 1 });
    scene.clock.advance(250); // It had its turn.
    expect(beat(scene)).toMatchObject({ instancesFree: 9, cedesBelow: 1, idle: 1 });
    scene.clock.advance(scene.pool.limits.restMs);
    expect(beat(scene)).toMatchObject({ instancesFree: 10, cedesBelow: 0, idle: 1 });
  });

  it("says to whom it would cede", async () => {
    const scene = createPoolScene();
    for (let count = 0; count < 3; count += 1) await scene.busy(words);
    await scene.busy(resize);
    expect(beat(scene)).toMatchObject({ running: 4, cedesBelow: 2 });
  });

  it("counts what is coming as taken and starting, and what is going as taken until it is gone", async () => {
    const scene = createPoolScene();
    scene.acquire(resize);
    expect(beat(scene)).toMatchObject({ memoryFreeBytes: 768 * mebibyte, instancesFree: 9, revisions: [{ starting: 1, freeSlots: 0, instances: 1 }] });
    scene.launcher.next();
    await settled();
    scene.launcher.of("i-1").ready();
    await settled();
    void scene.pool.close();
    expect(beat(scene)).toMatchObject({ memoryFreeBytes: 768 * mebibyte, instancesFree: 9, running: 0, revisions: [{ starting: 0, freeSlots: 0 }] });
    scene.launcher.of("i-1").remove();
    await settled();
    expect(beat(scene)).toMatchObject({ memoryFreeBytes: 1024 * mebibyte, instancesFree: 10 });
  });

  it("counts a held one that is going by what it takes", async () => {
    const scene = createPoolScene();
    await scene.hold(resize);
    scene.pool.retire(resize.digest);
    expect(beat(scene)).toMatchObject({ memoryFreeBytes: 1016 * mebibyte, instancesFree: 9 });
  });

  it("gives no slots of an instance that takes nothing more", async () => {
    const scene = createPoolScene();
    const first = await scene.busy(resize);
    scene.acquire(resize);
    first.lease?.release(false);
    expect(beat(scene).revisions).toMatchObject([{ freeSlots: 0, running: 1 }]);
  });

  it("names revisions whose image is there though none of it runs", () => {
    expect(beat(createPoolScene(), [resize.digest]).revisions).toEqual([{ revisionDigest: resize.digest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent: true }]);
  });

  it("says why the agent cannot be used, in as much as fits", () => {
    const { pool } = createPoolScene();
    const heartbeat = heartbeatOf({ ...origin, state: "unhealthy", detail: "x".repeat(600) }, pool, () => false);
    expect(heartbeatSchema.parse(heartbeat)).toMatchObject({ state: "unhealthy", detail: "x".repeat(512) });
  });
});
