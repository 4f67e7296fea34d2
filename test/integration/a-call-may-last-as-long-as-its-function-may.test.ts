import { createFleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";
import { lambdaFunction } from "../support/lambda-functions.ts";
import { startCommand } from "../support/processes.ts";

/**
 * Longer than the times that servers, clients and proxies are wont to give a silent connection: 5, 30, 60, 120 s. That nobody cuts it
 * can only be seen by waiting for it, so this file takes that long; all calls wait at the same time.
 */
const lastsMs = 130_000;
const limits = { timeoutMs: 600_000, memoryBytes: 64 * 2 ** 20 };

describe("a silent call of 130 s to functions that may take ten minutes", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await laboratoryFunction("warm", limits));
    await test.fleet.deploy(await laboratoryFunction("fresh", { ...limits, concurrency: 1 }));
    await test.fleet.deploy(await shellFunction("command", `sleep ${lastsMs / 1000}`, { ...limits, memoryBytes: 16 * 2 ** 20 }));
    await test.fleet.deploy(await lambdaFunction("handler", "act", { ...limits, memoryBytes: 128 * 2 ** 20 }));
    await (await test.fleet.call("warm", undefined, { method: "GET" })).text();
  });
  afterAll(() => test.close());

  const path = `/slow?ms=${lastsMs}`;
  const byHttp = async (name: string) => {
    const answer = await fetch(`${test.url}/f/${name}${path}`);
    await answer.text();
    return { start: answer.headers.get("longshore-start"), outcome: answer.headers.get("longshore-result") };
  };
  const bySdk = async (transport: "http" | "websocket", name: string, body?: string) => {
    await using fleet = createFleet({ url: test.url, transport });
    const answer = await fleet.call(name, body, body === undefined && name !== "command" ? { method: "GET", path } : {});
    await answer.text();
    return { start: answer.start, outcome: (await answer.result).outcome };
  };
  const byCommandLine = async (name: string) => {
    const { process, lines } = startCommand(["invoke", name, "--json", "--url", test.url, "--method", "GET", "--path", path]);
    const { start, result } = JSON.parse(await lines.next()) as { start: string; result: { outcome: string } };
    await process.interrupt();
    return { start, outcome: result.outcome };
  };

  it("is answered over HTTP, by the SDK and by the command line, by instances that were ready and by those begun for it", async () => {
    const answers = await Promise.all([
      byHttp("warm"),
      bySdk("websocket", "warm"),
      bySdk("http", "warm"),
      byCommandLine("warm"),
      byHttp("fresh"),
      bySdk("websocket", "fresh"),
      byCommandLine("fresh"),
      bySdk("websocket", "command"),
      bySdk("http", "handler", JSON.stringify({ do: "sleep", ms: lastsMs })),
    ]);
    expect(answers.map(({ outcome }) => outcome)).toEqual(answers.map(() => "succeeded"));
    expect(answers.map(({ start }) => start === "warm")).toEqual([true, true, true, true, false, false, false, false, false]);
  }, lastsMs + 60_000);
});
