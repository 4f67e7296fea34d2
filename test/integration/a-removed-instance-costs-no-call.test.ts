import { afterAll, beforeAll, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

let test: TestFleet;
beforeAll(async () => {
  test = await startFleet({ sites: ["plant"] });
  await test.fleet.deploy(await laboratoryFunction("lab"));
});
afterAll(() => test.close());

it("after docker rm -f of a warm instance the next call succeeds, again and again", async () => {
  for (let round = 0; round < 5; round += 1) {
    expect(await (await test.fleet.call("lab", undefined, { method: "GET" })).text()).toMatch(/^pid/);
    const containers = await docker.listContainers({ filters: { label: [`longshore.agent=${test.agents[0]?.agentId}`] } });
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).remove({ force: true })));
    const answer = await test.fleet.call("lab", undefined, { method: "GET" });
    expect(await answer.result).toMatchObject({ outcome: "succeeded" });
  }
});
