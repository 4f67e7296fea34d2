import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { startFleet, type TestFleet, untilRunning } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { lambdaFunction } from "../support/lambda-functions.ts";

/** Of functions, and of drains: far longer than a test may take. */
const tenMinutesMs = 600_000;

describe("an agent whose functions may take ten minutes", () => {
  let test: TestFleet;
  let agentId = "";
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    agentId = test.agents[0]?.agentId ?? "";
    await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: tenMinutesMs }));
    await test.fleet.deploy(await lambdaFunction("handler", "echo", { timeoutMs: tenMinutesMs }));
  });
  afterAll(() => test.close());

  const drain = () => test.fleet.agents.drain(agentId, { deadlineMs: tenMinutesMs });
  const emptied = async () => {
    while ((await instances()) > 0) continue;
  };
  const instances = async () => (await docker.listContainers({ all: true, filters: { label: [`longshore.agent=${agentId}`] } })).length;

  it("is empty at once where nothing runs, whatever was held, idle or paused there", async () => {
    await (await test.fleet.call("lab", undefined, { method: "GET" })).text();
    await (await test.fleet.call("handler", "1")).text();
    expect(await instances()).toBeGreaterThanOrEqual(2);
    await drain();
    await emptied();
    await test.fleet.agents.uncordon(agentId);
  });

  it("is empty once the call that runs has been answered", async () => {
    const order: string[] = [];
    const call = test.fleet.call("lab", undefined, { method: "GET", path: "/slow?ms=5000" }).then(async (answer) => {
      expect(await answer.json()).toEqual({ most: 1 });
      order.push("answered");
    });
    await untilRunning(test.fleet, 1);
    await drain();
    await emptied();
    order.push("emptied");
    await call;
    expect(order).toEqual(["answered", "emptied"]);
  });
});
