import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { exampleDocument } from "../support/examples.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

describe("a WebSocket and an event stream that are open while their agent drains", () => {
  let test: TestFleet;
  beforeAll(async () => {
    test = await startFleet({ sites: ["plant"] });
    await test.fleet.deploy(await laboratoryFunction("lab", { timeoutMs: 120_000 }));
    await test.fleet.deploy(await exampleDocument("echo-ws"));
  });
  afterAll(() => test.close());

  it("live until its grace is over, and then end for their callers to see", async () => {
    const socket = new WebSocket(`${test.url.replace("http", "ws")}/f/echo-ws/`);
    await once(socket, "open");
    const events = (await fetch(`${test.url}/f/lab/events?n=600&ms=100`)).body?.getReader();
    await events?.read();
    const closed = once(socket, "close");
    const drained = test.fleet.agents.drain(test.agents[0]?.agentId ?? "", { deadlineMs: 8_000 });
    for (let round = 0; round < 3; round += 1) {
      const echo = once(socket, "message");
      socket.send(`round ${round}`);
      expect(String((await echo)[0])).toBe(`round ${round}`);
      expect((await events?.read())?.done).toBe(false);
    }
    const cut = (async () => {
      for (let part = await events?.read(); part?.done === false; part = await events?.read());
    })();
    await expect(cut).rejects.toThrow(); // A stream that was cut does not pass for one that ended.
    const [code] = (await closed) as [number];
    expect(code).toBe(1001); // Going away.
    await drained;
    expect((await test.fleet.agents.list())[0]?.capacity.running).toBe(0);
  }, 180_000);
});
