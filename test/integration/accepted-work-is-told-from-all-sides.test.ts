import { expect, it } from "vitest";
import { startFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";
import { startCommand } from "../support/processes.ts";

it("longshore doctor --deep tells what waits, who has what by both sides' word, and which broker tries what", async () => {
  await using fleet = await startFleet({ sites: ["plant"], brokers: 2 });
  await fleet.fleet.deploy(await laboratoryFunction("lab"));
  const submit = (query: string, path = "") => fetch(`${fleet.url}/v1/functions/lab/invocations?mode=async${query}`, { method: "POST", body: path });
  await submit("&delayMs=600000");
  const looked = await fleet.fleet.queue.get();
  expect(looked).toMatchObject({ waiting: 0, delayed: 1, withAgents: 0, overdue: 0, deadLetters: 0, partitions: 32 });
  expect(looked.agents).toMatchObject([{ siteId: "plant", heard: true, revoked: false, believed: 0, running: 0, waiting: 0, missing: 0, unknown: 0, unreadable: 0 }]);
  let { brokers } = looked;
  while (brokers.reduce((sum, { partitions }) => sum + partitions, 0) !== 32) ({ brokers } = await fleet.fleet.queue.get()); // Brokers tell each second.
  expect(brokers).toHaveLength(2);

  const { lines, process } = startCommand(["doctor", "--deep", "--json", "--url", fleet.urls[1] ?? ""]);
  const { findings } = JSON.parse(await lines.next()) as { findings: { name: string; status: string; found: string }[] };
  expect(findings).toEqual(expect.arrayContaining([expect.objectContaining({ name: "queue", status: "ok", found: "0 waiting, 1 not due yet, 0 with agents" }), expect.objectContaining({ name: "partitions", status: "ok" })]));
  await process.interrupt();
});
