import { createInvocationId } from "@longshore/protocol";
import { createFleet } from "@longshore/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { component } from "../support/components.ts";
import { linesOf } from "../support/deployed.ts";
import { ensureImage } from "../support/images/ensure-image.ts";
import { docker } from "../support/agent-engine.ts";
import { startFleet, type TestFleet, untilRunning } from "../support/fleet.ts";
import { laboratoryFunction, shellFunction } from "../support/functions.ts";

describe("a run whose caller leaves", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await laboratoryFunction("lab"));
    await test.fleet.deploy(await shellFunction("sleeper", "echo begun; sleep 1000", { stopGraceMs: 500 }));
  });
  afterAll(() => test.close());

  const recordOf = async (invocationId: string) => {
    for (;;) {
      const view = await test.fleet.invocation(invocationId).status();
      if (view.state === "finished") return view.record;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const containersOf = (instanceId: string) => docker.listContainers({ all: true, filters: { label: [`longshore.instance=${instanceId}`] } });

  it("by its connection: is cancelled, and its container is gone", async () => {
    const leaving = new AbortController();
    const invocationId = createInvocationId();
    const left = fetch(`${test.url}/v1/functions/sleeper/invocations`, { method: "POST", signal: leaving.signal, headers: { "longshore-invocation-id": invocationId } });
    await untilRunning(test.fleet, 1);
    leaving.abort();
    await expect(left).rejects.toThrow();
    const { instanceId, result } = await recordOf(invocationId);
    expect(result).toMatchObject({ outcome: "cancelled" });
    expect(await containersOf(instanceId ?? "none")).toEqual([]);
    await untilRunning(test.fleet, 0);
  });

  it.each(["websocket", "http"] as const)("by an abort over %s", async (transport) => {
    const fleet = createFleet({ url: test.url, transport });
    const leaving = new AbortController();
    const invocationId = createInvocationId();
    const left = fleet.call("sleeper", undefined, { signal: leaving.signal, invocationId });
    await untilRunning(test.fleet, 1);
    leaving.abort();
    await Promise.allSettled([left]);
    expect((await recordOf(invocationId)).result).toMatchObject({ outcome: "cancelled" });
    await fleet.close();
  });

  it("of a web server: its connection is closed", async () => {
    const answer = await test.fleet.call("lab", undefined, { method: "GET", path: "/events?n=1000&ms=50" });
    await answer.body.cancel();
    expect((await recordOf(answer.invocationId)).result).toMatchObject({ outcome: "cancelled" });
    await untilRunning(test.fleet, 0);
  });

  it("a hundred times in the midst of an answer counts as a hundred cancelled, and as no failure", async () => {
    const counted = async (): Promise<Record<string, number>> => {
      const page = await (await fetch(`${test.url}/metrics`)).text();
      return Object.fromEntries([...page.matchAll(/^longshore_invocations_total\{outcome="(\w+)"\} (\d+)$/gm)].map(([, outcome = "", count]): [string, number] => [outcome, Number(count)]));
    };
    const before = await counted();
    await Promise.all(Array.from({ length: 10 }, async () => {
      for (let time = 0; time < 10; time += 1) {
        const leaving = new AbortController();
        const answer = await fetch(`${test.url}/f/lab/events?n=1000&ms=50`, { signal: leaving.signal });
        await answer.body?.getReader().read();
        leaving.abort();
        await recordOf(answer.headers.get("longshore-invocation-id") ?? "none");
      }
    }));
    expect(await counted()).toEqual({ ...before, cancelled: (before["cancelled"] ?? 0) + 100 });
  });

  it("before its program serves never reaches it", async () => {
    const script = `const { createServer } = require("node:http"); setTimeout(() => createServer((request, response) => { console.log("asked for " + request.url); response.end("tide"); }).listen(8080), 3000);`;
    await test.fleet.deploy(component("late", await ensureImage("node", { config: { cmd: ["node", "-e", script], exposed: [8080] } })));
    const leaving = new AbortController();
    const invocationId = createInvocationId();
    const left = fetch(`${test.url}/f/late/marker`, { signal: leaving.signal, headers: { "longshore-invocation-id": invocationId } });
    await untilRunning(test.fleet, 1);
    leaving.abort();
    await expect(left).rejects.toThrow();
    expect(await recordOf(invocationId)).toMatchObject({ result: { outcome: "cancelled" } });
    const answer = await test.fleet.call("late", undefined, { method: "GET", path: "/next" });
    expect(await answer.text()).toBe("tide");
    expect(await linesOf(test.fleet.logs("late"))).toEqual(["asked for /next"]);
  });

  it("goes on when it was told to", async () => {
    await test.fleet.deploy(await shellFunction("patient", "sleep 1; echo done"));
    const leaving = new AbortController();
    const invocationId = createInvocationId();
    const call = test.fleet.call("patient", undefined, { signal: leaving.signal, detach: true, invocationId });
    await untilRunning(test.fleet, 1);
    leaving.abort();
    await call.catch(() => undefined);
    expect((await recordOf(invocationId)).result).toMatchObject({ outcome: "succeeded" });
    expect(await new Response(await test.fleet.invocation(invocationId).result()).text()).toBe("done\n");
  });

  it("by id, from elsewhere", async () => {
    const answer = await test.fleet.call("sleeper");
    await test.fleet.invocation(answer.invocationId).cancel();
    expect(await answer.result).toMatchObject({ outcome: "cancelled" });
  });
});
