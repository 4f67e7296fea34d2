import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { shellFunction } from "../support/functions.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

describe("an agent whose host has less disk free than it is to keep free", () => {
  let test: TestFleet;
  let registry: TestRegistry;

  beforeAll(async () => {
    registry = await startRegistry();
    test = await startFleet({ sites: ["plant"], agent: { diskMinFreeBytes: 2 ** 50 } });
  });
  afterAll(async () => {
    await test.close();
    await registry.close();
  });

  it("pulls nothing, and says why", async () => {
    registry.add("tools/noise", "1");
    await expect(test.fleet.deploy({ name: "noise", image: `${registry.address}/tools/noise:1`, contract: "stdio" })).rejects.toMatchObject({ reason: "disk_full", code: "unavailable" });
    expect(registry.requests).toEqual([]);
  });

  it("is shown as such", async () => {
    for await (const event of test.fleet.watch()) {
      if (event.event === "agent" && event.agent.capacity.disk?.pressure === true) break;
    }
    const [agent] = await test.fleet.agents.list();
    expect(agent).toMatchObject({ state: "ready", capacity: { disk: { imagesBytes: 0, pressure: true } } });
    expect(agent?.capacity.disk?.freeBytes).toBeGreaterThan(0);
    expect(await (await fetch(`${test.url}/metrics`)).text()).toContain("\nlongshore_agents_short_of_disk 1\n");
  });

  it("goes on running the images that it has", async () => {
    await test.fleet.deploy(await shellFunction("here", "cat"));
    expect(await (await test.fleet.call("here", "still")).text()).toBe("still");
  });
});
