import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Revision } from "@longshore/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ContainerId } from "../../packages/agent/src/engine/engine.ts";
import { createImageKeeper, type ImageKeeper } from "../../packages/agent/src/images/image-keeper.ts";
import type { Launcher, PreparedInstance } from "../../packages/agent/src/instances/prepared.ts";
import { ManualClock } from "../../packages/agent/src/testing/manual-clock.ts";
import { testRevision } from "../../packages/agent/src/testing/revision.ts";
import { type AgentEngine, createAgentEngine, docker } from "../support/agent-engine.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { silentLog } from "../support/silent-log.ts";

/** Everything that is not in use is over this quota. */
const limits = { imageQuotaBytes: 0, imageUnusedMs: 3_600_000, diskMinFreeBytes: 0 };

describe("an image that an agent pulled", () => {
  let registry: TestRegistry;
  let agent: AgentEngine;
  let folder = "";
  let clock: ManualClock;
  let keeper: ImageKeeper;
  let launcher: Launcher;
  let repository = "";
  /** What the engine was asked to remove, and how that ended. */
  let removals: ReturnType<typeof recordRemovals>;
  const containers: ContainerId[] = [];

  beforeAll(async () => {
    registry = await startRegistry();
    agent = await createAgentEngine();
  });
  afterAll(async () => {
    await agent.close();
    await registry.close();
  });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "longshore-images-"));
    repository = `longshore-test/${randomBytes(4).toString("hex")}`;
    clock = new ManualClock();
    removals = recordRemovals(agent);
    keeper = createImageKeeper({ engine: removals.engine, dataFolder: folder, limits, inUse: () => [], clock, log: silentLog, onChange: () => undefined });
    launcher = keeper.pinning({
      canHold: () => true,
      async prepare({ revision }) {
        const { imageId } = await keeper.shelf.ensure(revision);
        containers.push(await agent.engine.createContainer(agent.shell("", { image: imageId })));
        return {} as PreparedInstance;
      },
      adopt: () => Promise.reject(new Error("not here")),
    });
    await keeper.start();
  });
  afterEach(async () => {
    await keeper.close();
    await endInstances();
    for (const { Id } of await listed()) await docker.getImage(Id).remove({ force: true });
    rmSync(folder, { recursive: true, force: true });
  });

  const nameOf = (tail: string) => `${registry.address}/${repository}${tail}`;
  const listed = async () => (await docker.listImages()).filter(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])].some((name) => name.includes(repository)));
  const revisionOf = (digest: string): Revision => {
    const revision = testRevision({ image: nameOf(":1") });
    return { ...revision, image: { ...revision.image, digest } };
  };
  const start = (revision: Revision) => launcher.prepare({ instanceId: "i-1", revision });
  const endInstances = async () => {
    for (const id of containers.splice(0)) await agent.engine.removeContainer(id);
  };
  const asked = () => registry.requests.filter((request) => request.includes(`${repository}/`)).length;

  it("stays while a container is made of it, goes after that, and is pulled again by the next start", async () => {
    const revision = revisionOf(registry.add(repository, "1"));
    await start(revision);
    clock.advance(5_000);
    expect(await removals.next()).toBe("conflict");
    await endInstances();
    keeper.shelf.forget(revision.digest);
    clock.advance(60_000);
    expect(await removals.next()).toBe("removed");
    expect(await listed()).toEqual([]);
    const before = asked();
    await start(revision);
    expect(asked()).toBeGreaterThan(before);
    expect(containers).toHaveLength(1);
  });

  it("goes though its tag has moved on, and so does the one that the tag came to", async () => {
    registry.add(repository, "1");
    await keeper.source.pullImage(nameOf(":1"), {});
    registry.add(repository, "1");
    await keeper.source.pullImage(nameOf(":1"), {});
    expect(await listed()).toHaveLength(2);
    clock.advance(5_000);
    while ((await listed()).length > 0) expect(await removals.next()).toBe("removed");
  });

  it("is not every image of its repository: what the host had before stays, with its names", async () => {
    const owned = registry.add(repository, "owned");
    await agent.engine.pullImage(nameOf(":owned"), {});
    registry.add(repository, "1");
    await keeper.source.pullImage(nameOf(`@${owned}`), {});
    await keeper.source.pullImage(nameOf(":1"), {});
    clock.advance(5_000);
    expect(await removals.next()).toBe("removed");
    await keeper.close();
    expect((await listed()).map(({ RepoTags, RepoDigests }) => [RepoTags, RepoDigests])).toEqual([[[nameOf(":owned")], [nameOf(`@${owned}`)]]]);
  });

  it("is there for every start that comes while it is being removed", async () => {
    const revision = revisionOf(registry.add(repository, "1"));
    for (let round = 1; round <= 5; round += 1) {
      await keeper.shelf.ensure(revision);
      clock.advance(60_000);
      if (round % 2 === 0) await removals.begun();
      await start(revision);
      expect(containers).toHaveLength(1);
      await endInstances();
    }
  });
});

/** The agent's engine, which tells of removals as they begin and end. */
function recordRemovals({ engine }: AgentEngine) {
  let begun = Promise.withResolvers<void>();
  const ended: string[] = [];
  let wake: () => void = () => undefined;
  return {
    engine: {
      inspectImage: engine.inspectImage,
      pullImage: engine.pullImage,
      listImages: engine.listImages,
      diskSpace: engine.diskSpace,
      async removeImage(reference: string) {
        begun.resolve();
        let end = "removed";
        try {
          await engine.removeImage(reference);
        } catch (error) {
          end = (error as { failure: string }).failure;
          throw error;
        } finally {
          ended.push(end);
          wake();
        }
      },
    },
    /** How the next removal ends. */
    async next(): Promise<string | undefined> {
      if (ended.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return ended.shift();
    },
    /** Resolves when the next removal begins. */
    async begun(): Promise<void> {
      await begun.promise;
      begun = Promise.withResolvers();
    },
  };
}
