import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

describe("200 calls at once on a function at zero", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ broker: { backlogMax: 500, backlogMs: 120_000 }, agent: { instancesMax: 12 } });
  });
  afterAll(() => test.close());

  it("are all answered by a web server, which never has more than its concurrency", async () => {
    await test.fleet.deploy(await laboratoryFunction("lab", { concurrency: 10 }));
    const answers = await Promise.all(Array.from({ length: 200 }, async () => (await test.fleet.call("lab", undefined, { method: "GET", path: "/slow?ms=50" })).json() as Promise<{ most: number }>));
    expect(answers).toHaveLength(200);
    expect(Math.max(...answers.map(({ most }) => most))).toBeLessThanOrEqual(10);
  });

  it("are all answered by a command-line image, each by a process of its own", async () => {
    await test.fleet.deploy(await shellFunction("count", "wc -c", { timeoutMs: 120_000 }));
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, index) => (await test.fleet.call("count", "x".repeat(index))).text()));
    expect(answers.map(Number)).toEqual(Array.from({ length: 200 }, (_, index) => index));
  }, 150_000);
});
