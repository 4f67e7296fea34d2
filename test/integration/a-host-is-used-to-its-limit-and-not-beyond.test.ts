import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { countContainers } from "../support/deployed.ts";
import { startFleet, type TestFleet, untilHeld, untilRunning } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

const mebibyte = 2 ** 20;

let test: TestFleet;
const fleetOf = (agent: Readonly<Record<string, unknown>>, broker: Readonly<Record<string, unknown>>) =>
  beforeEach(async () => {
    test = await startFleet({ sites: ["plant"], agent, broker });
  });
afterEach(() => test.close());

const capacity = async () => (await test.fleet.agents.list())[0]?.capacity;
const running = async () => (await docker.listContainers({ filters: { label: [`longshore.agent=${test.agents[0]?.agentId}`] } })).length;

describe("a host with much that is held and begun ahead of need", () => {
  const room = 6;
  // Whoever finds no slot is refused at once.
  fleetOf({ memoryBytes: room * 128 * mebibyte, instancesMax: room }, { backlogMax: 0 });

  it("says that all of it can be had, gives all of it, and refuses what is more", async () => {
    const { function: eager } = await test.fleet.deploy(await laboratoryFunction("eager", { minInstances: 2 }));
    const { function: single } = await test.fleet.deploy(await laboratoryFunction("single", { concurrency: 1, timeoutMs: 60_000 }));
    for (const name of ["a", "b"]) await test.fleet.deploy(await laboratoryFunction(name));
    for (const { revisionId } of [eager, single]) await untilHeld(test.fleet, revisionId, "plant", 1);
    for await (const event of test.fleet.watch()) if (event.event === "agent" && event.agent.capacity.idle === 2) break;
    expect(await capacity()).toMatchObject({ instancesFree: room, memoryFreeBytes: room * 128 * mebibyte });

    const answers = Promise.all(Array.from({ length: room }, async () => (await test.fleet.call("single", undefined, { method: "GET", path: "/slow?ms=10000" })).json()));
    await untilRunning(test.fleet, room);
    await expect(test.fleet.call("single", undefined, { method: "GET" })).rejects.toMatchObject({ code: "resource_exhausted" });
    expect(await capacity()).toMatchObject({ instancesFree: 0, memoryFreeBytes: 0 });
    expect(await answers).toEqual(Array.from({ length: room }, () => ({ most: 1 })));
    expect(await running()).toBeLessThanOrEqual(room);
  });
});

describe("a function that starts slowly, with a thousand calls waiting for it", () => {
  const room = 8;
  fleetOf({ memoryBytes: room * 64 * mebibyte, instancesMax: room, heldMax: 0 }, { backlogMax: 1_000, backlogMs: 120_000 });

  it("begins no more instances than there is room for, those that are still starting counted, and cedes one to another function", async () => {
    const limits = { concurrency: 1, memoryBytes: 64 * mebibyte, timeoutMs: 120_000 };
    const { function: slow } = await test.fleet.deploy(await laboratoryFunction("slow", { ...limits, env: { START_MS: "5000" } }));
    await test.fleet.deploy(await laboratoryFunction("other", limits));
    let answered = 0;
    const calls = Promise.all(
      Array.from({ length: 1_000 }, async () => {
        await (await test.fleet.call("slow", undefined, { method: "GET", path: "/slow?ms=50" })).text();
        answered += 1;
      }),
    );
    await untilRunning(test.fleet, room);
    expect(await capacity()).toMatchObject({ instancesFree: 0, memoryFreeBytes: 0, idle: 0 });
    expect(answered).toBe(0);
    for (let round = 0; round < 3; round += 1) {
      expect(await (await test.fleet.call("other", undefined, { method: "GET" })).text()).toMatch(/^pid/);
      expect(answered).toBeLessThan(1_000);
    }
    await calls;
    expect(await countContainers(test, slow.revisionId)).toBeLessThanOrEqual(room);
  }, 120_000);
});
