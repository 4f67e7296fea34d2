import { afterAll, beforeAll, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

let test: TestFleet;
beforeAll(async () => {
  test = await startFleet({ sites: ["plant"] });
  await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: 60_000 }));
});
afterAll(() => test.close());

const removeContainers = async () => {
  const containers = await docker.listContainers({ filters: { label: [`longshore.agent=${test.agents[0]?.agentId}`] } });
  await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
};

it("after docker rm -f of a warm instance the next call succeeds, again and again", async () => {
  for (let round = 0; round < 5; round += 1) {
    expect(await (await test.fleet.call("lab", undefined, { method: "GET" })).text()).toMatch(/^pid/);
    await removeContainers();
    const answer = await test.fleet.call("lab", undefined, { method: "GET" });
    expect(await answer.result).toMatchObject({ outcome: "succeeded" });
  }
});

// An instance may be idle for a minute, and containers are compared with what is known of them once a minute: neither is waited for.
it("docker rm -f of a warm instance is noticed, and a call that may take long begins another", async () => {
  await (await test.fleet.call("lab", undefined, { method: "GET" })).text();
  await untilIdle(1);
  await removeContainers();
  await untilIdle(0);
  const answer = await test.fleet.call("lab", undefined, { method: "GET", timeoutMs: 60_000 });
  expect(answer.start).not.toBe("warm");
  expect(await answer.result).toMatchObject({ outcome: "succeeded" });
}, 20_000);

/** Resolves once the agent says that it has that many idle instances. */
async function untilIdle(count: number): Promise<void> {
  for await (const event of test.fleet.watch()) if (event.event === "agent" && event.agent.capacity.idle === count) return;
}
