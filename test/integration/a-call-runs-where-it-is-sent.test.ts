import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

describe("a fleet with two sites", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet();
    await test.fleet.deploy(await laboratoryFunction("lab"));
    await test.fleet.deploy(await shellFunction("where", 'echo "$LONGSHORE_SITE"'));
  });
  afterAll(() => test.close());

  it.each(["plant", "cloud"])("answers from %s when asked to, for each contract", async (site) => {
    const web = await fetch(`${test.url}/f/lab/`, { headers: { "longshore-where": `site=${site}` } });
    expect(web.status).toBe(200);
    expect(web.headers.get("longshore-site")).toBe(site);
    expect(web.headers.get("longshore-result")).toBe("succeeded");
    const command = await test.fleet.call("where", undefined, { where: `site=${site}` });
    expect(await command.text()).toBe(`${site}\n`);
    expect(command.siteId).toBe(site);
  });

  it("refuses a site that nobody joined from", async () => {
    const answer = await fetch(`${test.url}/f/lab/`, { headers: { "longshore-where": "site=moon" } });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/problem+json");
    expect(await answer.json()).toMatchObject({ reason: "no_agent_eligible", code: "failed_precondition" });
    await expect(test.fleet.call("where", undefined, { where: "site=moon" })).rejects.toMatchObject({ reason: "no_agent_eligible" });
  });

  it("shows both sites with live capacity", async () => {
    const agents = await test.fleet.agents.list();
    expect(agents.map(({ siteId, state }) => [siteId, state]).sort()).toEqual([["cloud", "ready"], ["plant", "ready"]]);
    const slow = test.fleet.call("lab", undefined, { method: "GET", path: "/events?n=50&ms=100", where: "site=plant" });
    const answer = await slow;
    for await (const event of test.fleet.watch()) {
      if (event.event === "agent" && event.agent.siteId === "plant" && event.agent.capacity.running === 1) break;
    }
    const sites = await test.fleet.sites.list();
    const plant = sites.find(({ siteId }) => siteId === "plant");
    expect(plant).toMatchObject({ agents: 1, ready: 1, running: 1 });
    expect(plant?.memoryFreeBytes).toBeLessThan(plant?.memoryBytes ?? 0);
    await answer.body.cancel();
    for await (const event of test.fleet.watch()) {
      if (event.event === "agent" && event.agent.siteId === "plant" && event.agent.capacity.running === 0) break;
    }
  });
});
