import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

describe("many calls at once on a function at zero", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ broker: { backlogMax: 500, backlogMs: 120_000 }, agent: { instancesMax: 6 } });
  });
  afterAll(() => test.close());

  it("200 are all answered by a web server, which never has more than its concurrency", async () => {
    await test.fleet.deploy(await laboratoryFunction("lab", { concurrency: 10, timeoutMs: 120_000 }));
    const answers = await Promise.all(Array.from({ length: 200 }, async () => (await test.fleet.call("lab", undefined, { method: "GET", path: "/slow?ms=50" })).json() as Promise<{ most: number }>));
    expect(answers).toHaveLength(200);
    expect(Math.max(...answers.map(({ most }) => most))).toBeLessThanOrEqual(10);
  }, 120_000);

  it("are all answered by a command-line image, each by a container of its own, however few the agents may have at once", async () => {
    await test.fleet.deploy(await shellFunction("count", "wc -c", { timeoutMs: 120_000 }));
    const lengths = Array.from({ length: 40 }, (_, index) => index); // An old engine makes one or two containers a second.
    const answers = await Promise.all(lengths.map(async (length) => (await test.fleet.call("count", "x".repeat(length))).text()));
    expect(answers.map(Number)).toEqual(lengths);
  }, 120_000);
});
