import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { InvocationResult } from "@longshore/protocol";
import { createFleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docker } from "../support/agent-engine.ts";
import { startFleet, type TestFleet, untilRunning } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

const command = fileURLToPath(new URL("../../packages/cli/bin/longshore.mjs", import.meta.url));

/** A function, how it ends, what that is called and what the status and the command line's exit code are. */
const cases = [
  { name: "good", script: "cat", result: { outcome: "succeeded" }, status: 200, exit: 0 },
  { name: "bad", script: "echo words >&2; echo some; exit 7", result: { outcome: "failed", exitCode: 7, stderrTail: "words\n" }, status: 502, exit: 1 },
  { name: "shot", script: "kill -SEGV $$", result: { outcome: "failed", signal: "SIGSEGV" }, status: 502, exit: 1 },
  { name: "slow", script: "echo begun >&2; sleep 30", timeoutMs: 3_000, result: { outcome: "timed_out", stderrTail: "begun\n" }, status: 504, exit: 4 },
  { name: "hungry-child", script: "sh -c 'a=x; while :; do a=$a$a; done'; exit 0", result: { outcome: "oom_killed" }, status: 502, exit: 1 },
] as const;

describe("how a command-line function ends", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    for (const { name, script, ...rest } of cases) {
      await test.fleet.deploy(await shellFunction(name, script, { memoryBytes: 16 * 2 ** 20, ...("timeoutMs" in rest && { timeoutMs: rest.timeoutMs }) }));
    }
  });
  afterAll(() => test.close());

  /** A time limit is for the program: a container that is still to be made must not use it up. */
  const held = (name: string) => test.untilHeld(`${name}-r1`, "plant");

  it.each(cases)("$name is told by HTTP", async ({ name, result, status }) => {
    await held(name);
    const answer = await fetch(`${test.url}/v1/functions/${name}/invocations`, { method: "POST", body: "in" });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("longshore-result")).toBe(result.outcome);
    if (result.outcome === "succeeded") return expect(await answer.text()).toBe("in");
    await answer.text();
    const record = (await (await fetch(`${test.url}/v1/invocations/${answer.headers.get("longshore-invocation-id")}`)).json()) as { record: { result: InvocationResult } };
    expect(record.record.result).toMatchObject(result);
  });

  it.each(["websocket", "http"] as const)("is told by the SDK over %s", async (transport) => {
    const fleet = createFleet({ url: test.url, transport });
    for (const { name, result } of cases) {
      await held(name);
      const answer = await fleet.call(name, "in");
      await answer.bytes().catch(() => undefined);
      expect(await answer.result, name).toMatchObject(result);
      if (result.outcome === "succeeded") continue;
      await held(name);
      await expect(fleet.invoke(name, "in"), name).rejects.toMatchObject({ name: "InvocationError", result });
    }
    await fleet.close();
  }, 180_000);

  it.each(cases)("$name is told by the command line", async ({ name, result, exit }) => {
    await held(name);
    const child = spawn(process.execPath, [command, "invoke", name, "--json"], { env: { ...process.env, LONGSHORE_URL: test.url }, stdio: ["pipe", "pipe", "pipe"] });
    const output: Buffer[] = [];
    child.stdout.on("data", (data: Buffer) => output.push(data));
    child.stderr.on("data", (data: Buffer) => output.push(data));
    child.stdin.end("in");
    await once(child, "close");
    expect(child.exitCode, Buffer.concat(output).toString()).toBe(exit);
    expect(Buffer.concat(output).toString()).toContain(result.outcome);
  });
});

describe("how a web server's invocation ends", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: 45_000 }));
  });
  afterAll(() => test.close());

  it.each([
    ["/status?code=404", { outcome: "succeeded", status: 404 }],
    ["/status?code=503", { outcome: "failed", status: 503 }],
    ["/exit?code=3", { outcome: "failed", exitCode: 3, stderrTail: "leaving as asked\n" }],
    ["/eat", { outcome: "oom_killed", status: 500 }],
    ["/half", { outcome: "failed" }],
  ])("%s", async (path, result) => {
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path });
    await answer.bytes().catch(() => undefined);
    expect(await answer.result).toMatchObject(result);
    const next = await test.fleet.call("lab", undefined, { method: "GET" });
    expect(await next.text()).toMatch(/^pid/);
  });

  it("a kill from outside is told by its signal", async () => {
    await test.fleet.call("lab", undefined, { method: "GET" });
    await untilRunning(test.fleet, 0);
    const pending = test.fleet.call("lab", undefined, { method: "GET", path: "/slow?ms=40000" });
    await untilRunning(test.fleet, 1);
    const containers = await docker.listContainers({ filters: { label: [`longshore.agent=${test.agents[0]?.agentId}`, "longshore.revision=lab-r1"] } });
    await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).kill()));
    expect(await (await pending).result).toMatchObject({ outcome: "failed", signal: "SIGKILL" });
  });

  it("a time-out is told in time", async () => {
    await test.fleet.call("lab", undefined, { method: "GET" });
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path: "/slow?ms=20000", timeoutMs: 2_000 });
    await answer.bytes().catch(() => undefined);
    expect(await answer.result).toMatchObject({ outcome: "timed_out" });
  });
});
