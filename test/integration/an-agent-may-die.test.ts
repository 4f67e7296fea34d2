import { createFleet } from "@longshore/sdk";
import { expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { untilAgent, untilRunning } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { startProcesses } from "../support/processes.ts";

it("kill -9 of an agent: its calls end truly, new ones go elsewhere, and what it left is adopted or removed", async () => {
  await using processes = await startProcesses({ agents: [{ siteId: "plant" }, { siteId: "cloud" }] });
  const [plant] = processes.agents;
  if (plant === undefined) throw new Error("an agent was asked for");
  const containers = async () => docker.listContainers({ all: true, filters: { label: [`longshore.agent=${plant.agentId}`] } });
  const fleet = createFleet({ url: processes.url });
  await fleet.deploy(await laboratoryFunction("lab", { concurrency: 3, maxInstancesPerAgent: 2 }));
  await fleet.deploy(await laboratoryFunction("idle"));
  expect((await fleet.call("idle", undefined, { method: "GET", where: "site=plant" })).siteId).toBe("plant");

  // Once the answers to four have begun, both instances have work: none may be adopted. The other two wait for their whole answer.
  const call = (path: string) => fleet.call("lab", undefined, { method: "GET", path, where: "site=plant" });
  const begun = Array.from({ length: 4 }, () => call("/gate"));
  await Promise.all(begun);
  const lost = [...begun, ...[1, 2].map(() => call("/slow?ms=15000"))];
  await untilRunning(fleet, 6);
  await plant.kill();
  const killedAt = Date.now();
  for (const answer of await Promise.all(lost)) {
    expect(await answer.result).toMatchObject({ outcome: "lost", error: { reason: "agent_lost" } });
  }
  expect(Date.now() - killedAt).toBeLessThan(16_000); // The promise itself is a time: 15 s, here with room for a busy machine.
  for (let call = 0; call < 5; call += 1) expect((await fleet.call("lab", undefined, { method: "GET" })).siteId).toBe("cloud");

  const before = (await containers()).map(({ Id }) => Id);
  expect(before.length).toBeGreaterThan(1);
  await plant.restart();
  await untilAgent(fleet, plant.agentId);
  const again = await fleet.call("idle", undefined, { method: "GET", where: "site=plant" });
  expect(await again.result).toMatchObject({ outcome: "succeeded" });
  for (const { Id } of await containers()) {
    const { Config } = await docker.getContainer(Id).inspect();
    if (before.includes(Id)) expect(Config.Labels["longshore.revision_id"] ?? Config.Labels["longshore.revision"]).toContain("idle");
  }
  await fleet.close();
}, 180_000);
