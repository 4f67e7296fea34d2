import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFleet, type Fleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { outsideAddress } from "../support/docker-registry.ts";
import { untilAgent } from "../support/fleet.ts";
import { busybox, noise, printing } from "../support/printing-image.ts";
import { type AgentProcess, type Processes, startProcesses } from "../support/processes.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

const mebibyte = 2 ** 20;
/** In the name of every repository here, so that what was pulled can be told from the rest. */
const mark = `longshore-test-${randomBytes(4).toString("hex")}`;
const pulled = async () => (await docker.listImages()).filter(({ RepoTags, RepoDigests }) => JSON.stringify([RepoTags, RepoDigests]).includes(mark));

describe("kill -9 of an agent in the midst of a pull", () => {
  /** The agent's folder for temporary files. */
  const scratch = mkdtempSync(join(tmpdir(), "longshore-scratch-"));
  let near: TestRegistry;
  let lab: TestRegistry;
  let processes: Processes;
  let fleet: Fleet;
  let agent: AgentProcess;

  beforeAll(async () => {
    [near, lab] = await Promise.all([startRegistry(), startRegistry(outsideAddress())]);
    const environment = { TMPDIR: scratch, LONGSHORE_AGENT_REGISTRIES: JSON.stringify([{ host: lab.address, plainHttp: true }]) };
    processes = await startProcesses({ agents: [{ siteId: "plant", environment }] });
    const [plant] = processes.agents;
    if (plant === undefined) throw new Error("an agent was asked for");
    agent = plant;
    fleet = createFleet({ url: processes.url });
  });
  afterAll(async () => {
    await fleet.close();
    await processes.close();
    await Promise.all([near.close(), lab.close()]);
    for (const { Id } of await pulled()) await docker.getImage(Id).remove({ force: true });
    rmSync(scratch, { recursive: true, force: true });
  });

  it.each([
    { name: "near", way: "the engine itself", registryOf: () => near, names: (own: string, digest: string) => [`${own}:1`, `${own}@${digest}`] },
    { name: "lab", way: "the agent's relay", registryOf: () => lab, names: (own: string, digest: string) => [`${own}:1`, `longshore.invalid/${own.replace(":", "_")}:${digest.replace(":", "-")}`] },
  ])("by $way: it is told, and the pull repeated succeeds with nothing left of the first", async ({ name, registryOf, names }) => {
    const registry = registryOf();
    const digest = registry.put(`${mark}/${name}`, "1", printing(name, [[busybox], [noise(8 * mebibyte)]]));
    const deploy = () => fleet.deploy({ name, image: `${registry.address}/${mark}/${name}:1`, contract: "stdio", memoryBytes: 32 * mebibyte, timeoutMs: 20_000 });
    const release = registry.holdLayers();
    const first = deploy().then(() => "It was not told", (error: unknown) => error);
    await registry.layerAsked();
    await agent.kill();
    release();

    agent = await agent.restart();
    await untilAgent(fleet, agent.agentId);
    await deploy();
    expect(await new Response((await fleet.call(name)).body).text()).toBe(name);
    const engineNames = (await pulled()).flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]).filter((each) => each.includes(`/${name}`));
    expect(engineNames).toEqual(names(`${registry.address}/${mark}/${name}`, digest));
    expect(readdirSync(scratch)).toEqual([]);
    expect(await first).toMatchObject({ reason: "agent_lost" });
  });
});
