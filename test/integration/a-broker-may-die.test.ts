import { createFleet } from "@longshore/sdk";
import { expect, it } from "vitest";
import { untilRunning } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { startProcesses } from "../support/processes.ts";

it("kill -9 of one of two brokers: callers of the other notice nothing, and what it ran is known there", async () => {
  await using processes = await startProcesses({ brokers: 2, separateBus: true, agents: [{ siteId: "plant" }] });
  const [first, second] = processes.brokers;
  if (first === undefined || second === undefined) throw new Error("two brokers were asked for");
  const there = createFleet({ url: first.url });
  const here = createFleet({ url: second.url });
  await there.deploy(await laboratoryFunction("lab"));
  expect(await (await here.call("lab", undefined, { method: "GET" })).text()).toMatch(/^pid/);

  const invocationId = "01890000-0000-7000-8000-00000000000a";
  const broken = expect(there.call("lab", undefined, { method: "GET", path: "/slow?ms=4000", invocationId, detach: true })).rejects.toMatchObject({ reason: "connection_lost" });
  const pending = Array.from({ length: 20 }, () => here.call("lab", undefined, { method: "GET", path: "/slow?ms=4000" }));
  const stream = await here.call("lab", undefined, { method: "GET", path: "/events?n=10&ms=500" });
  await untilRunning(here, 22);
  await first.kill();
  await broken;
  for (const answer of await Promise.all(pending)) expect(await answer.result).toMatchObject({ outcome: "succeeded" });
  expect((await stream.text()).match(/data:/g)).toHaveLength(10);
  for (let call = 0; call < 20; call += 1) expect(await (await here.call("lab", undefined, { method: "GET" })).text()).toMatch(/^pid/);

  for (;;) {
    const view = await here.invocation(invocationId).status().catch(() => undefined);
    if (view?.state === "finished") {
      expect(view.record.result).toMatchObject({ outcome: "succeeded", status: 200 });
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await here.close();
  await there.close();
});
