import { randomBytes } from "node:crypto";
import type { PullProgress } from "@longshore/protocol";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDockerEngine } from "../../packages/agent/src/engine/docker.ts";
import { docker } from "../support/agent-engine.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

describe("pullImage()", () => {
  const engine = createDockerEngine({ agentId: "test-pull" });
  let registry: TestRegistry;
  let repository = "";
  let pulled: string[] = [];

  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.close());
  beforeEach(() => {
    repository = `longshore-test/${randomBytes(4).toString("hex")}`;
    pulled = [];
  });
  afterEach(async () => {
    for (const reference of pulled) await docker.getImage(reference).remove({ force: true });
  });

  const reference = (name: string) => `${registry.address}/${repository}${name}`;
  const manifestReads = () => registry.requests.filter((request) => request.startsWith("GET") && request.includes(`${repository}/manifests/`)).length;

  it("brings an image by tag and by digest, and says what it is", async () => {
    const digest = registry.add(repository, "1");
    const facts = await engine.pullImage(reference(":1"), {});
    pulled.push(facts.imageId);
    expect(facts).toMatchObject({ repositoryDigests: [reference(`@${digest}`)], command: ["/noise"], architecture: "amd64" });
    expect(await engine.pullImage(reference(`@${digest}`), {})).toEqual(facts);
    expect(await engine.inspectImage(reference(`@${digest}`))).toEqual(facts);
  });

  it("is one pull for all who ask while it is under way, and tells each how far it is", async () => {
    registry.add(repository, "1", { bytes: 3_000_000 });
    const release = registry.holdLayers();
    const told: PullProgress[][] = Array.from({ length: 10 }, () => []);
    const pulls = told.map((list) => engine.pullImage(reference(":1"), { onProgress: (progress) => list.push(progress) }));
    await registry.layerAsked();
    release();
    const facts = await Promise.all(pulls);
    pulled.push(facts[0]?.imageId ?? "");
    expect(new Set(facts.map(({ imageId }) => imageId)).size).toBe(1);
    expect(manifestReads()).toBe(1);
    for (const list of told) expect(list.at(-1)).toMatchObject({ layers: 1, layersDone: 1 });
  });

  it("goes on for the others when one gives up", async () => {
    registry.add(repository, "1");
    const release = registry.holdLayers();
    const [impatient, patient] = [new AbortController(), new AbortController()];
    const left = engine.pullImage(reference(":1"), { signal: impatient.signal });
    const stays = engine.pullImage(reference(":1"), { signal: patient.signal });
    await registry.layerAsked();
    impatient.abort(new Error("gave up"));
    await expect(left).rejects.toThrow("gave up");
    release();
    pulled.push((await stays).imageId);
    expect(manifestReads()).toBe(1);
  });

  it("fails when the engine reports an error after it had answered 200", async () => {
    registry.add(repository, "1", { damaged: true });
    await expect(engine.pullImage(reference(":1"), {})).rejects.toMatchObject({ name: "EngineError", failure: "internal", status: 200, message: expect.stringContaining(reference(":1")) });
    expect(await engine.inspectImage(reference(":1"))).toBeUndefined();
  });

  it("fails as `not_found` for what the registry does not have, and works once it has", async () => {
    await expect(engine.pullImage(reference(":1"), {})).rejects.toMatchObject({ failure: "not_found" });
    registry.add(repository, "1");
    pulled.push((await engine.pullImage(reference(":1"), {})).imageId);
  });

  it("uses the credential it is given, for that pull only", async () => {
    registry.add(repository, "1");
    registry.protect("plant", "secret: ü/+");
    await expect(engine.pullImage(reference(":1"), {})).rejects.toMatchObject({ name: "EngineError" });
    pulled.push((await engine.pullImage(reference(":1"), { credential: { username: "plant", password: "secret: ü/+" } })).imageId);
  });

  it("refuses what is not a reference", async () => {
    await expect(engine.pullImage("Not A Reference", {})).rejects.toMatchObject({ failure: "bad_request" });
    await expect(engine.inspectImage("../containers")).rejects.toMatchObject({ failure: "bad_request" });
  });
});
