import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { FunctionDocument } from "@longshore/protocol";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

const mebibyte = 2 ** 20;

describe("a function with instances that are held, idle and at work", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
  });
  afterAll(() => test.close());

  const document = (changes: Partial<FunctionDocument>) => laboratoryFunction("lab", { concurrency: 1, memoryBytes: 64 * mebibyte, timeoutMs: 60_000, ...changes });
  const call = async (path: string) => {
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path });
    const text = await answer.text();
    const view = await test.fleet.invocation(answer.invocationId).status();
    return { text, instanceId: view.state === "finished" ? view.record.instanceId : undefined };
  };
  const calls = (name: string) => Promise.all(Array.from({ length: 6 }, () => call(`/env?name=${name}`)));
  let old: Awaited<ReturnType<typeof calls>>;
  let underWay: Promise<unknown>;

  beforeEach(async () => {
    const { function: deployed } = await test.fleet.deploy(await document({ env: { WORD: "old" }, secrets: { TOKEN: "old" } }));
    old = await calls("WORD");
    await test.untilHeld(deployed.revisionId, "plant");
    underWay = call("/slow?ms=3000");
  });

  const expectNew = async (name: string, word: string) => {
    const answers = [...(await calls(name)), ...(await calls(name))];
    expect(answers.map(({ text }) => text)).toEqual(answers.map(() => word));
    expect(answers.filter(({ instanceId }) => old.some((before) => before.instanceId === instanceId))).toEqual([]);
    expect(await underWay).toMatchObject({ text: '{"most":1}' });
  };

  it("has none of them serve what is deployed with another environment", async () => {
    await test.fleet.deploy(await document({ env: { WORD: "new" }, secrets: { TOKEN: "old" } }));
    await expectNew("WORD", "new");
  });

  it("has none of them serve what is deployed with another secret", async () => {
    await test.fleet.deploy(await document({ env: { WORD: "old" }, secrets: { TOKEN: "new" } }));
    await expectNew("TOKEN", "new");
  });

  it.each(["new", "old"])("has none of them serve what is made under its name after it was removed (%s)", async (word) => {
    await test.fleet.remove("lab");
    await test.fleet.deploy(await document({ env: { WORD: word }, secrets: { TOKEN: "old" } }));
    await expectNew("WORD", word);
  });
});
