import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { testRevision } from "../testing/revision.ts";
import { createPoolScene, settled } from "./testing/pool-scene.ts";

const idleMs = 400;
const single = testRevision({ name: "single", concurrency: 1 });

describe("an instance that may be idle for 400 ms", () => {
  it("is not ended while it has work, however long that lasts", async () => {
    const scene = createPoolScene({ idleMs });
    const call = await scene.busy(single);
    scene.clock.advance(40_000);
    expect(scene.phases()).toEqual(["ready"]);
    expect(call.lease?.isBeingEnded()).toBe(false);
    call.lease?.release(true);
    scene.clock.advance(40_000);
    expect(scene.phases()).toEqual(["stopping"]);
  });

  it("serves a call that comes 50 ms less or more than that after the last, or another does, 500 times", async () => {
    const scene = createPoolScene({ idleMs });
    const random = seededRandom(1);
    const starts = new Map<string | undefined, number>();
    for (let round = 0; round < 500; round += 1) {
      const call = await scene.busy(single);
      const { lease } = call;
      starts.set(lease?.start, (starts.get(lease?.start) ?? 0) + 1);
      scene.clock.advance(Math.floor(random() * 100));
      expect({ round, answers: call.answers, error: call.error, isEnded: lease?.isBeingEnded() }).toEqual({ round, answers: 1, error: undefined, isEnded: false });
      lease?.release(true);
      scene.clock.advance(idleMs - 50 + Math.floor(random() * 101));
      await settled();
      if (round % 3 === 0) for (const container of [...scene.launcher.containers]) if (container.ending !== undefined) container.remove(); // Else the next call meets it as it ends.
      await settled();
    }
    expect(starts.get("warm")).toBeGreaterThan(50);
    expect(starts.get("cold")).toBeGreaterThan(50);
  });
});
