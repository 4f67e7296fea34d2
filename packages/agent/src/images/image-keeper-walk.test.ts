import { LongshoreError } from "@longshore/protocol";
import { expect, it } from "vitest";
import { createFakeEngine } from "../engine/testing/fake-engine.ts";
import { settled } from "../instances/testing/pool-scene.ts";
import { seededRandom } from "../testing/random.ts";
import { createKeeperScene, gibibyte, pulledAs, registryOf, registryRevision } from "./testing/keeper-scene.ts";

const revisions = ["a", "b", "c", "d", "e"].map((name) => registryRevision(name));
const owned = "owner/image:1";
const steps = 80;

/**
 * Whatever happens in whatever order: a start fails for want of disk alone, what has a container keeps its image, what is not the
 * agent's stays, and the quota is kept once nothing is in use.
 */
it("images are there for every start, and go when nothing needs them (seeded walks)", async () => {
  for (let seed = 1; seed <= 25; seed += 1) await walk(seed);
});

async function walk(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const at = `seed ${seed}`;
  const engine = createFakeEngine({ registry: registryOf(...revisions), images: { [owned]: {} } });
  const made = await createKeeperScene({ engine, limits: { imageQuotaBytes: 2 * gibibyte } });
  const pick = () => revisions[Math.floor(random() * revisions.length)] ?? registryRevision("a");
  const starts: Promise<unknown>[] = [];
  const failures: unknown[] = [];
  const start = () => starts.push(made.start(pick()).catch((error: unknown) => failures.push(error)));
  let release: () => void = () => undefined;
  const actions: (() => unknown)[] = [
    start,
    start,
    () => made.retire(pick()),
    () => engine.containers.slice(0, 1).forEach(({ id }) => engine.removeFromOutside(id)),
    () => made.clock.advance(5_000),
    () => made.clock.advance(5_000 * Math.ceil(random() * 200)),
    () => engine.setDiskSpace({ totalBytes: 100 * gibibyte, freeBytes: random() * 4 * gibibyte }),
    () => {
      release();
      release = engine.hold(random() < 0.5 ? "removeImage" : "pullImage").release;
    },
    () => release(),
  ];
  for (let step = 0; step < steps; step += 1) {
    actions[Math.floor(random() * actions.length)]?.();
    if (random() < 0.6) await settled();
    for (const { spec } of engine.containers) expect(await engine.inspectImage(spec.image), `${at}, step ${step}: an image in use is there`).toBeDefined();
  }
  release();
  await Promise.all(starts);
  expect(failures.filter((error) => !(error instanceof LongshoreError && error.reason === "disk_full")), at).toEqual([]);
  made.end();
  engine.setDiskSpace({ totalBytes: 100 * gibibyte, freeBytes: 50 * gibibyte });
  await made.pass(120_000);
  expect(await engine.inspectImage(owned), `${at}: what is the host's stays`).toBeDefined();
  expect(made.keeper.disk, at).toMatchObject({ pressure: false });
  expect(made.keeper.disk?.imagesBytes, `${at}: the quota is kept`).toBeLessThanOrEqual(2 * gibibyte);
  const present = (await Promise.all(revisions.map((revision) => engine.inspectImage(pulledAs(revision))))).filter((image) => image !== undefined);
  expect(present.length * gibibyte, `${at}: the ledger knows every image`).toBe(made.keeper.disk?.imagesBytes);
  await made.close();
}
