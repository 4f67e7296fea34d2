import { createFleet } from "@longshore/sdk";
import { expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { untilAgent } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { startProcesses } from "../support/processes.ts";

interface View {
  readonly state: string;
  readonly attempt?: number;
  readonly record?: { readonly attempt: number; readonly result: { readonly outcome: string; readonly error?: { readonly reason: string } } };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it("kill -9 of an agent under accepted work: its next process ends what went on, and only then says that it is lost, or has it repeated", async () => {
  await using processes = await startProcesses({ agents: [{ siteId: "plant" }] });
  const [agent] = processes.agents;
  if (agent === undefined) throw new Error("an agent was asked for");
  const { url } = processes;
  const fleet = createFleet({ url });
  const view = async (id: string) => (await (await fetch(`${url}/v1/invocations/${id}`)).json()) as View;
  const { image } = await laboratoryFunction("lab");
  const document = { contract: "stdio" as const, command: ["node"], args: ["-e", "setTimeout(() => undefined, 60_000)"], image, timeoutMs: 120_000, stopGraceMs: 500, concurrency: 1 };
  const begin = async (name: string, idempotent: boolean) => {
    await fleet.deploy(await laboratoryFunction(name, { ...document, idempotent }));
    const answer = await fetch(`${url}/v1/functions/${name}/invocations?mode=async`, { method: "POST", body: "x" });
    return ((await answer.json()) as { invocationId: string }).invocationId;
  };
  const ids = { once: await begin("once", false), again: await begin("again", true) };
  /** Containers in which a program sleeps. */
  const sleeping = async () => {
    const running = await docker.listContainers({ filters: { label: [`longshore.agent=${agent.agentId}`] } });
    const titles = await Promise.all(running.map(async ({ Id }) => [Id, JSON.stringify(await docker.getContainer(Id).top().catch(() => ""))] as const));
    return titles.filter(([, processes]) => processes.includes('"node -e')).map(([id]) => id);
  };
  while ((await sleeping()).length < 2) await pause(100);
  const old = await sleeping();

  await agent.kill();
  expect(await sleeping()).toEqual(expect.arrayContaining(old)); // They go on without their agent.
  await agent.restart();
  const restartedAt = Date.now();
  await untilAgent(fleet, agent.agentId);
  let lost = await view(ids.once);
  for (; lost.state !== "finished"; lost = await view(ids.once)) await pause(50);
  expect(Date.now() - restartedAt).toBeLessThan(15_000);
  expect(lost.record).toMatchObject({ attempt: 1, result: { outcome: "lost", error: { reason: "agent_lost" } } });
  expect((await sleeping()).filter((id) => old.includes(id))).toEqual([]);

  let next = await view(ids.again);
  for (; !(next.state === "running" && next.attempt === 2); next = await view(ids.again)) await pause(50);
  while ((await sleeping()).length === 0) await pause(100);
  const now = await sleeping();
  expect([now.length, now.filter((id) => old.includes(id))]).toEqual([1, []]);
  await fleet.close();
}, 180_000);
