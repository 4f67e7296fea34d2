import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Revision } from "@longshore/protocol";
import { pino } from "pino";
import type { ContainerId, ContainerSpec } from "../../engine/engine.ts";
import { createFakeEngine, type FakeEngine, type FakeImage } from "../../engine/testing/fake-engine.ts";
import type { Launcher, PreparedInstance } from "../../instances/prepared.ts";
import { settled } from "../../instances/testing/pool-scene.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { testRevision } from "../../testing/revision.ts";
import type { ImageLimits } from "../image-collector.ts";
import { createImageKeeper, type ImageKeeper } from "../image-keeper.ts";

export const gibibyte = 2 ** 30;
const minuteMs = 60_000;

/** A revision whose image a registry has; name and tag decide its digest. */
export function registryRevision(name: string, tag = "1"): Revision {
  const revision = testRevision({ name, image: `registry.test/${name}:${tag}` });
  return { ...revision, digest: `${name}-${tag}`, image: { ...revision.image, digest: `sha256:${createHash("sha256").update(`${name}:${tag}`).digest("hex")}` } };
}

/** The reference by digest that a start pulls. */
export const pulledAs = ({ functionName, image }: Revision) => `registry.test/${functionName}@${image.digest}`;

/** A registry's image of that revision, of one GiB, by tag and by digest. */
export function registryOf(...revisions: Revision[]): Record<string, FakeImage> {
  return Object.fromEntries(
    revisions.flatMap((revision) => {
      const image = { facts: { sizeBytes: gibibyte, repositoryDigests: [pulledAs(revision)] } };
      return [[revision.image.reference, image], [pulledAs(revision), image]];
    }),
  );
}

/** A keeper on a fake engine whose disk has room; time, free space and uses are the test's. */
export function createKeeperScene({ engine = createFakeEngine(), limits = {}, folder = mkdtempSync(join(tmpdir(), "longshore-images-")) }: { engine?: FakeEngine; limits?: Partial<ImageLimits>; folder?: string } = {}) {
  const clock = new ManualClock();
  let started = 0;
  const scene = {
    engine,
    clock,
    folder,
    /** Revisions with an instance. */
    inUse: new Set<Revision>(),
    changes: [] as (boolean | undefined)[],
    keeper: open(clock),
    launcher: undefined as unknown as Launcher,
    /** As a broker's ask to prepare, or a call, would. */
    async start(revision: Revision): Promise<void> {
      await scene.launcher.prepare({ instanceId: `i-${++started}`, revision });
    },
    /** Removes every container, as when all instances have ended. */
    end(): void {
      scene.inUse.clear();
      for (const { id } of [...engine.containers]) engine.removeFromOutside(id);
    },
    retire: (revision: Revision) => scene.keeper.shelf.forget(revision.digest),
    isPresent: async (revision: Revision) => (await engine.inspectImage(pulledAs(revision))) !== undefined,
    /** Lets that much time pass, with everything that happens in it. */
    async pass(durationMs: number): Promise<void> {
      for (let left = durationMs; left > 0; left -= 5_000) {
        clock.advance(Math.min(left, 5_000));
        await settled();
      }
    },
    /** Another process of the agent, `awayMs` later. */
    async restart(awayMs: number): Promise<void> {
      await scene.keeper.close();
      clock.advance(awayMs);
      scene.keeper = open(clock);
      await begin();
    },
    async close(): Promise<void> {
      await scene.keeper.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };

  function open(at: ManualClock): ImageKeeper {
    return createImageKeeper({
      engine,
      dataFolder: folder,
      limits: { imageQuotaBytes: 100 * gibibyte, imageUnusedMs: 10 * minuteMs, diskMinFreeBytes: gibibyte, ...limits },
      inUse: () => scene.inUse,
      clock: at,
      log: pino({ level: "silent" }),
      onChange: () => scene.changes.push(scene.keeper.disk?.pressure),
    });
  }

  async function begin(): Promise<typeof scene> {
    const { keeper } = scene;
    scene.launcher = keeper.pinning(bareLauncher(engine, (revision) => keeper.shelf.ensure(revision)));
    await keeper.start();
    return scene;
  }
  return begin();
}

/** Looks for the image, then makes a container of it: as much of a launcher as an image sees. */
function bareLauncher(engine: FakeEngine, ensure: (revision: Revision) => Promise<{ imageId: string }>): Launcher {
  return {
    canHold: () => true,
    async prepare({ instanceId, revision }) {
      const { imageId } = await ensure(revision);
      const containerId: ContainerId = await engine.createContainer({ name: instanceId, image: imageId, labels: {} } as Partial<ContainerSpec> as ContainerSpec);
      return { containerId } as Partial<PreparedInstance> as PreparedInstance;
    },
    adopt: () => Promise.reject(new Error("not here")),
  };
}
