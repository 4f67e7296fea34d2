import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { EngineError } from "../engine/engine.ts";
import { createFakeEngine } from "../engine/testing/fake-engine.ts";
import { settled } from "../instances/testing/pool-scene.ts";
import { createKeeperScene, gibibyte, pulledAs, registryOf, registryRevision } from "./testing/keeper-scene.ts";

const [resize, words, notes] = [registryRevision("resize"), registryRevision("words"), registryRevision("notes")];
const hourMs = 3_600_000;
const room = { totalBytes: 100 * gibibyte, freeBytes: 50 * gibibyte };
const short = { ...room, freeBytes: gibibyte / 2 };

let close: () => Promise<void> = async () => undefined;
afterEach(() => close());

async function scene(options: Parameters<typeof createKeeperScene>[0] = {}) {
  const made = await createKeeperScene({ engine: createFakeEngine({ registry: registryOf(resize, words, notes) }), ...options });
  close = made.close;
  return made;
}

describe("an image that the agent pulled", () => {
  it("goes once no current function needs it and it was not used for long", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    await made.pass(hourMs);
    expect(await made.isPresent(resize)).toBe(true); // It is current.
    made.retire(resize);
    await made.pass(120_000);
    expect(await made.isPresent(resize)).toBe(false);
    expect(made.keeper.disk?.imagesBytes).toBe(0);
  });

  it("stays while a revision has an instance, retired or not, and counts as used until that ends", async () => {
    const made = await scene();
    await made.start(resize);
    made.inUse.add(resize);
    made.retire(resize);
    await made.pass(hourMs);
    made.end();
    await made.pass(300_000);
    expect(await made.isPresent(resize)).toBe(true);
    await made.pass(600_000);
    expect(await made.isPresent(resize)).toBe(false);
  });

  it("stays while somebody else's container is made of it, which is no error, and goes after that", async () => {
    const made = await scene();
    await made.start(resize);
    made.retire(resize);
    await made.pass(hourMs);
    expect(await made.isPresent(resize)).toBe(true);
    made.end();
    await made.pass(120_000);
    expect(await made.isPresent(resize)).toBe(false);
  });

  it("goes when images pass the quota, the least recently used first", async () => {
    const made = await scene({ limits: { imageQuotaBytes: 2 * gibibyte } });
    for (const revision of [words, resize, notes]) {
      await made.start(revision);
      await made.pass(1_000);
    }
    made.end();
    await made.pass(60_000);
    expect(await Promise.all([words, resize, notes].map(made.isPresent))).toEqual([false, true, true]);
    expect(made.keeper.shelf.isPresent(words.digest)).toBe(false);
    await made.start(words); // Pulled again.
    expect(await made.isPresent(words)).toBe(true);
  });

  it("by a tag that moved on goes as well, and the tag stays with the image that has it", async () => {
    const [before, after] = [registryRevision("resize", "1"), registryRevision("resize", "2")];
    const tag = "registry.test/resize:latest";
    const registry = registryOf(before, after);
    const engine = createFakeEngine({ registry: { ...registry, [tag]: registry[pulledAs(before)] ?? {} } });
    const made = await scene({ engine });
    await made.keeper.source.pullImage(tag, {});
    await made.pass(300_000);
    engine.publish(tag, registry[pulledAs(after)] ?? {});
    await made.keeper.source.pullImage(tag, {});
    await made.pass(330_000);
    expect([await made.isPresent(before), await made.isPresent(after)]).toEqual([false, true]);
    expect((await engine.inspectImage(tag))?.repositoryDigests).toEqual([pulledAs(after)]);
  });

  it("is remembered across a restart, and time when no agent was there is no time without use", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    await made.restart(24 * hourMs);
    await made.pass(300_000);
    expect(await made.isPresent(resize)).toBe(true);
    await made.pass(hourMs);
    expect(await made.isPresent(resize)).toBe(false);
  });

  it("that somebody removed is pulled again, and counts no more", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    await made.engine.removeImage(pulledAs(resize));
    await made.pass(60_000);
    expect(made.keeper.disk?.imagesBytes).toBe(0);
    await made.start(resize);
    expect(await made.isPresent(resize)).toBe(true);
  });
});

describe("an image that the agent did not bring", () => {
  const pressed = { imageQuotaBytes: 0, imageUnusedMs: 60_000, diskMinFreeBytes: 200 * gibibyte };

  it("is never removed, used here or not", async () => {
    const made = await scene({ engine: createFakeEngine({ images: { [pulledAs(resize)]: {}, "owner:1": {} } }), limits: pressed });
    await made.start(resize);
    made.end();
    made.retire(resize);
    await made.pass(hourMs);
    expect(made.engine.calls).not.toContain("removeImage");
  });

  it("though it is pulled by another name, as long as the host had it before", async () => {
    const image = registryOf(resize)[pulledAs(resize)] ?? {};
    const made = await scene({ engine: createFakeEngine({ images: { "owner:1": image }, registry: { [resize.image.reference]: image } }), limits: { ...pressed, diskMinFreeBytes: 0 } });
    await made.keeper.source.pullImage(resize.image.reference, {});
    await made.pass(hourMs);
    expect(await made.engine.inspectImage("owner:1")).toBeDefined();
    expect(made.engine.calls).not.toContain("removeImage");
  });

  it("leaves a tag behind that was the host's before, with the image that the pull moved it to", async () => {
    const [before, after] = [registryRevision("resize", "1"), registryRevision("resize", "2")];
    const tag = "registry.test/resize:latest";
    const registry = registryOf(before, after);
    const engine = createFakeEngine({ images: { [tag]: registry[pulledAs(before)] ?? {} }, registry: { [tag]: registry[pulledAs(after)] ?? {} } });
    const made = await scene({ engine, limits: { imageQuotaBytes: 0 } });
    await made.keeper.source.pullImage(tag, {});
    await made.pass(hourMs);
    expect((await engine.inspectImage(tag))?.repositoryDigests).toEqual([pulledAs(after)]);
    expect(await made.isPresent(before)).toBe(true);
  });

  it("keeps the names that others gave it since", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    made.engine.tag(pulledAs(resize), "owner:1");
    made.retire(resize);
    await made.pass(hourMs);
    expect(await made.engine.inspectImage("owner:1")).toBeDefined();
    expect(made.keeper.disk?.imagesBytes).toBe(0);
  });

  it("or that a function has from this engine alone, though the agent pulled it once", async () => {
    const made = await scene();
    const { imageId } = await made.keeper.source.pullImage(pulledAs(resize), {});
    const local = { ...words, image: { ...words.image, digest: imageId, local: true } };
    await made.start(local);
    made.end();
    made.retire(local);
    await made.pass(hourMs);
    expect(await made.isPresent(resize)).toBe(true);
    expect(made.engine.calls).not.toContain("removeImage");
  });

  it("is everything once the ledger is damaged", async () => {
    const made = await scene({ limits: pressed });
    writeFileSync(join(made.folder, "images.json"), "{");
    await made.restart(0);
    expect(made.keeper.disk?.imagesBytes).toBe(0);
    await made.pass(120_000);
    expect(made.engine.calls).not.toContain("removeImage");
  });
});

describe("a start", () => {
  it("that comes while its image is being removed waits for that and pulls it again", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    made.retire(resize);
    const held = made.engine.hold("removeImage");
    const passing = made.pass(hourMs);
    await held.reached;
    let isStarted = false;
    const started = made.start(resize).then(() => (isStarted = true));
    await settled();
    expect(isStarted).toBe(false);
    held.release();
    await Promise.all([started, passing]);
    expect(made.engine.containers).toHaveLength(1);
    expect(made.engine.calls.filter((call) => call === "pullImage")).toHaveLength(2);
  });

  it("of another image does not wait", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    made.retire(resize);
    const held = made.engine.hold("removeImage");
    const passing = made.pass(hourMs);
    await held.reached;
    await made.start(words);
    held.release();
    await passing;
    expect(await made.isPresent(resize)).toBe(false);
  });

  it.each(["inspectImage", "pullImage", "createContainer"] as const)("under way at %s keeps its image, whatever else is asked for", async (method) => {
    const made = await scene({ limits: { imageQuotaBytes: 0, imageUnusedMs: 60_000 } });
    await made.start(resize);
    made.end();
    if (method === "pullImage") await made.engine.removeImage(pulledAs(resize));
    made.retire(resize);
    const held = made.engine.hold(method);
    const started = made.start(resize);
    await held.reached;
    await made.pass(hourMs);
    expect(made.engine.calls.filter((call) => call === "removeImage")).toHaveLength(method === "pullImage" ? 1 : 0);
    held.release();
    await started;
    expect(made.engine.containers).toHaveLength(1);
  });

  it("stops a removal between two names of the image", async () => {
    const image = registryOf(resize)[pulledAs(resize)] ?? {};
    const made = await scene({ engine: createFakeEngine({ registry: { ...registryOf(resize), [resize.image.reference]: image } }) });
    await made.keeper.source.pullImage(resize.image.reference, {});
    const held = made.engine.hold("removeImage");
    const passing = made.pass(hourMs);
    await held.reached;
    const started = made.start(resize);
    held.release();
    await Promise.all([started, passing]);
    expect(made.engine.calls.filter((call) => call === "removeImage")).toHaveLength(1);
    expect(made.engine.containers).toHaveLength(1);
  });
});

describe("a host short of disk", () => {
  const full = async (made: Awaited<ReturnType<typeof scene>>) => {
    made.engine.setDiskSpace(short);
    await made.pass(5_000);
  };

  it("has room again when enough images went, and nobody hears of it", async () => {
    const made = await scene();
    for (const revision of [resize, words]) await made.start(revision);
    made.end();
    made.retire(words);
    const held = made.engine.hold("removeImage");
    const passing = full(made);
    await held.reached;
    made.engine.setDiskSpace(room);
    held.release();
    await passing;
    expect([await made.isPresent(resize), await made.isPresent(words)]).toEqual([true, false]);
    expect(made.changes).toEqual([]);
    expect(made.keeper.disk).toEqual({ ...room, imagesBytes: gibibyte, pressure: false });
  });

  it("pulls nothing when no image can go, and runs what it has", async () => {
    const made = await scene();
    await made.start(resize);
    made.inUse.add(resize);
    await full(made);
    expect(made.changes).toEqual([true]);
    expect(made.keeper.disk).toEqual({ ...short, imagesBytes: gibibyte, pressure: true });
    await expect(made.start(words)).rejects.toMatchObject({ reason: "disk_full", code: "unavailable", phase: "startup" });
    await expect(made.keeper.source.pullImage(words.image.reference, {})).rejects.toMatchObject({ reason: "disk_full" });
    await made.start(resize);
    expect(made.engine.containers).toHaveLength(2);
  });

  it("is noticed by a pull before it begins", async () => {
    const made = await scene();
    made.engine.setDiskSpace(short);
    await expect(made.start(words)).rejects.toMatchObject({ reason: "disk_full" });
    expect(made.engine.calls).not.toContain("pullImage");
    made.engine.setDiskSpace(room);
    await made.start(words);
    expect(made.changes).toEqual([true, false]);
  });

  it("removes current images too when others do not do, and removes on while images give less than their size", async () => {
    const made = await scene();
    for (const revision of [resize, words, notes]) await made.start(revision);
    made.end();
    await full(made);
    expect(await Promise.all([resize, words, notes].map(made.isPresent))).toEqual([false, false, false]);
    expect(made.keeper.disk?.pressure).toBe(true);
  });

  it("is so no more once space comes back, a little above the limit", async () => {
    const made = await scene();
    await full(made);
    made.engine.setDiskSpace({ ...room, freeBytes: gibibyte * 1.05 });
    await made.pass(5_000);
    expect(made.keeper.disk?.pressure).toBe(true);
    made.engine.setDiskSpace({ ...room, freeBytes: gibibyte * 1.2 });
    await made.pass(5_000);
    expect(made.keeper.disk?.pressure).toBe(false);
    expect(made.changes).toEqual([true, false]);
  });

  it("is not told where the disk cannot be seen", async () => {
    const made = await scene();
    made.engine.setDiskSpace(undefined);
    await made.pass(5_000);
    expect(made.keeper.disk).toBeUndefined();
    await made.start(words);
  });
});

describe("the keeper", () => {
  it("goes on after the engine failed it, and removes nothing once it is closed", async () => {
    const made = await scene();
    await made.start(resize);
    made.end();
    made.retire(resize);
    made.engine.failNext("removeImage", new EngineError("internal", 500, "device busy"));
    await made.pass(660_000);
    expect(await made.isPresent(resize)).toBe(true);
    await made.keeper.close();
    expect(made.clock.pending).toBe(0);
    await made.pass(hourMs);
    expect(await made.isPresent(resize)).toBe(true);
    await made.restart(0);
    await made.pass(hourMs);
    expect(await made.isPresent(resize)).toBe(false);
  });

  it("writes names, sizes and last uses, and nothing else", async () => {
    const made = await scene();
    await made.start(resize);
    expect(JSON.parse(readFileSync(join(made.folder, "images.json"), "utf8"))).toEqual({
      savedAtMs: made.clock.wallMs(),
      images: [{ imageId: expect.stringMatching(/^sha256:/) as string, references: [pulledAs(resize)], sizeBytes: gibibyte, lastUsedMs: made.clock.wallMs() }],
    });
  });
});
