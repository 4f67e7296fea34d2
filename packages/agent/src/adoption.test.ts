import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { Adoption } from "./adoption.ts";
import { type ContainerId, EngineError } from "./engine/engine.ts";
import type { AdoptionCandidate } from "./engine/reconcile.ts";
import type { PreparedInstance } from "./instances/prepared.ts";
import { settled } from "./instances/testing/pool-scene.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { testRevision } from "./testing/revision.ts";

const resize = testRevision({ name: "resize" });
const other = testRevision({ name: "other" });

/** Containers of an earlier process, one of each of these revisions. */
function scene(revisions = [resize, other]) {
  const clock = new ManualClock();
  const candidates = revisions.map((revision, index): AdoptionCandidate => ({
    container: { id: `c-${index}` as ContainerId, name: "", labels: {}, running: true, ip: "192.0.2.2" },
    instanceId: `i-${index}`,
    revisionDigest: revision.digest,
    adoption: { contract: "http", mode: "become", concurrency: 1 },
  }));
  const removed: string[] = [];
  const adopted: string[] = [];
  const stopped: string[] = [];
  const launches: { succeed(): void; fail(): void }[] = [];
  const says = { hasRoom: true, removalFailures: 0 };
  const adoption = new Adoption(candidates, {
    engine: {
      removeContainer: async (id) => {
        if (says.removalFailures-- > 0) throw new EngineError("unreachable", 0, "away");
        removed.push(id);
      },
    },
    launcher: {
      adopt: ({ instanceId }) =>
        new Promise((resolve, reject) => {
          const stop = async () => void stopped.push(instanceId);
          launches.push({ succeed: () => resolve({ stop } as Partial<PreparedInstance> as PreparedInstance), fail: () => reject(new EngineError("not_found", 404, "gone")) });
        }),
    },
    pool: {
      adopt(_revision, instanceId) {
        if (says.hasRoom) adopted.push(instanceId);
        return says.hasRoom;
      },
    },
    clock,
    log: pino({ level: "silent" }),
  });
  return { clock, removed, adopted, stopped, launches, says, adoption };
}

describe("what an earlier process had begun", () => {
  it("is taken into use when its revision is known, once, and looked after meanwhile", async () => {
    const { adoption, launches, adopted } = scene();
    adoption.revisionKnown(resize);
    adoption.revisionKnown(resize);
    expect(launches).toHaveLength(1);
    expect([...adoption.instanceIds].toSorted()).toEqual(["i-0", "i-1"]);
    launches[0]?.succeed();
    await settled();
    expect(adopted).toEqual(["i-0"]);
    expect([...adoption.instanceIds]).toEqual(["i-1"]);
  });

  it("is removed when nobody names its revision for a minute", async () => {
    const { adoption, launches, clock, removed, adopted } = scene();
    adoption.revisionKnown(resize);
    launches[0]?.succeed();
    clock.advance(59_999);
    await settled();
    expect(removed).toEqual([]);
    clock.advance(1);
    await settled();
    expect(removed).toEqual(["c-1"]);
    expect(adopted).toEqual(["i-0"]);
    expect([...adoption.instanceIds]).toEqual([]);
  });

  it("is removed when it cannot be taken over", async () => {
    const { adoption, launches, removed } = scene();
    adoption.revisionKnown(resize);
    launches[0]?.fail();
    await settled();
    expect(removed).toEqual(["c-0"]);
  });

  it("is stopped when there is no room for it", async () => {
    const made = scene();
    made.says.hasRoom = false;
    made.adoption.revisionKnown(resize);
    made.launches[0]?.succeed();
    await settled();
    expect(made.stopped).toEqual(["i-0"]);
  });

  it("is removed for sure: what the engine does not do now it is asked again", async () => {
    const made = scene();
    made.says.removalFailures = 2;
    const closed = made.adoption.close();
    for (let round = 0; round < 4; round += 1) {
      await settled();
      made.clock.advance(1_000);
    }
    await closed;
    expect(made.removed.toSorted()).toEqual(["c-0", "c-1"]);
  });

  it("is all gone or in other hands once it is closed, what was being taken over too", async () => {
    const made = scene();
    made.adoption.revisionKnown(resize);
    let isClosed = false;
    const closed = made.adoption.close().then(() => (isClosed = true));
    await settled();
    expect(isClosed).toBe(false);
    made.says.hasRoom = false; // As a pool that drains says.
    made.launches[0]?.succeed();
    await closed;
    expect(made.stopped).toEqual(["i-0"]);
    expect(made.removed).toEqual(["c-1"]);
    expect(made.clock.pending).toBe(0);
  });
});
