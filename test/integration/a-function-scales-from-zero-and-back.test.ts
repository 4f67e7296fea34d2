import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { leftOf } from "../support/agent-engine.ts";
import { countContainers } from "../support/deployed.ts";
import { startFleet, type TestFleet, untilRunning } from "../support/fleet.ts";
import { untilFrozen } from "../support/frozen.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { lambdaFunction } from "../support/lambda-functions.ts";

const mebibyte = 2 ** 20;

let test: TestFleet;
const fleetOf = (agent: Readonly<Record<string, unknown>>, broker: Readonly<Record<string, unknown>> = {}) =>
  beforeEach(async () => {
    test = await startFleet({ sites: ["plant"], agent, broker });
  });
afterEach(() => test.close());

/** Calls a function; tells what came back, and of which instance. */
async function call(name: string, path: string) {
  const response = await fetch(`${test.url}/f/${name}${path}`);
  const answer = { status: response.status, retryAfter: response.headers.get("retry-after"), text: await response.text() };
  if (!response.ok) return { ...answer, instanceId: undefined };
  const view = await test.fleet.invocation(response.headers.get("longshore-invocation-id") ?? "").status();
  return { ...answer, instanceId: view.state === "finished" ? view.record.instanceId : undefined };
}

const many = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, index) => act(index)));

describe("calls at once on a function at zero", () => {
  fleetOf({ instancesMax: 4, heldMax: 0 }, { backlogMax: 50, backlogMs: 60_000 });

  it.each([1, 5])("are all answered where they are few, and share one start (%i)", async (count) => {
    const { function: deployed } = await test.fleet.deploy(await laboratoryFunction("lab", { concurrency: 10 }));
    const answers = await many(count, () => call("lab", "/slow?ms=50"));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(await countContainers(test, deployed.revisionId)).toBe(1);
  });

  it("are answered or bidden to come again where they are more than may wait, and share the starts there is room for (200)", async () => {
    await test.fleet.deploy(await laboratoryFunction("lab", { concurrency: 10, timeoutMs: 120_000 }));
    const answers = await many(200, () => call("lab", "/slow?ms=50"));
    const served = answers.filter(({ status }) => status === 200);
    const refused = answers.filter(({ status }) => status !== 200);
    expect(served.length).toBeGreaterThanOrEqual(50 + 10);
    expect(new Set(served.map(({ instanceId }) => instanceId)).size).toBeLessThanOrEqual(4);
    expect(refused.map(({ status, retryAfter }) => ({ status, retryAfter }))).toEqual(refused.map(() => ({ status: 429, retryAfter: "1" })));
    expect(refused.length).toBeGreaterThan(0);
  });
});

describe("long calls at once on a function of one at a time", () => {
  fleetOf({ instancesMax: 7, heldMax: 0, memoryBytes: 7 * 64 * mebibyte });

  it("each begin an instance at once where there is room for all, and never share one", async () => {
    const { function: deployed } = await test.fleet.deploy(await laboratoryFunction("single", { concurrency: 1, memoryBytes: 64 * mebibyte, timeoutMs: 60_000 }));
    const answers = await many(7, () => call("single", "/slow?ms=5000"));
    expect(answers.map(({ text }) => JSON.parse(text) as unknown)).toEqual(answers.map(() => ({ most: 1 })));
    expect(await countContainers(test, deployed.revisionId)).toBe(7);
  });
});

describe("where instances may be idle for less time than a call takes", () => {
  const idleMs = 300;
  fleetOf({ idleMs });

  it("a call under way keeps its instance", async () => {
    await test.fleet.deploy(await laboratoryFunction("lab"));
    expect(await call("lab", "/slow?ms=4000")).toMatchObject({ status: 200 });
  });

  it("calls that come as an instance has been idle for that long, or nearly, or a little longer, are all answered", async () => {
    const names = ["a", "b"];
    for (const name of names) await test.fleet.deploy(await laboratoryFunction(name, { concurrency: 1, memoryBytes: 64 * mebibyte, timeoutMs: 60_000 }));
    const answers = await Promise.all(
      names.map(async (name, at) => {
        const ofOne = [];
        for (let round = 0; round < 8; round += 1) {
          ofOne.push(await call(name, "/status?code=200"));
          await setTimeout(idleMs - 50 + ((round * 8 + at * 4) % 21) * 5); // The limit itself is what is waited for: 50 ms less up to 50 ms more.
        }
        return ofOne;
      }),
    );
    expect(answers.flat().filter(({ status }) => status !== 200)).toEqual([]);
  }, 180_000);
});

describe("an agent that is stopped with ten paused instances", () => {
  fleetOf({ heldMax: 0, memoryBytes: 2048 * mebibyte, idleMs: 600_000 });

  it("lets the call under way finish, and leaves nothing behind", async () => {
    const [host] = test.agents;
    if (host === undefined) throw new Error("The fleet has no agent");
    await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: 120_000 }));
    await many(10, async (index) => {
      await test.fleet.deploy(await lambdaFunction(`paused-${index}`, "echo", { memoryBytes: 96 * mebibyte, timeoutMs: 60_000 }));
      await (await test.fleet.call(`paused-${index}`, "1")).text();
    });
    const underWay = call("lab", "/slow?ms=8000");
    for (let index = 0; index < 10; index += 1) await untilFrozen(`paused-${index}-r1`);
    await untilRunning(test.fleet, 1);
    await host.agent.drain(60_000);
    expect(await underWay).toMatchObject({ status: 200, text: '{"most":1}' });
    expect(await leftOf(host.agentId)).toEqual([]);
  }, 240_000);
});
