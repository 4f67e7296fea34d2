import { describe, it } from "vitest";
import { startFleet, type TestFleet } from "../support/fleet.ts";
import { laboratoryFunction } from "../support/functions.ts";

/** Resolves once agents have begun that many instances of the revision, by agent. */
async function untilBegun({ fleet }: TestFleet, revisionId: string, wanted: Readonly<Record<string, number>>): Promise<void> {
  const begun = new Map<string, number>();
  for await (const event of fleet.watch()) {
    if (event.event !== "agent") continue;
    const { instances, held } = event.agent.functions.find((entry) => entry.revisionId === revisionId) ?? { instances: 0, held: 0 };
    begun.set(event.agent.agentId, instances - held);
    if (Object.entries(wanted).every(([agentId, count]) => begun.get(agentId) === count)) return;
  }
}

describe("a minimum of instances", () => {
  it("is kept by the fleet together, begun without a call, and by who is left when an agent goes", async () => {
    await using test = await startFleet({ agent: { heldMax: 0, memoryBytes: 512 * 2 ** 20 } });
    const [plant, cloud] = test.agents;
    if (plant === undefined || cloud === undefined) throw new Error("There are two agents");
    const answer = await test.fleet.deploy(await laboratoryFunction("eager", { minInstances: 3 }));
    const { revisionId } = answer.function;
    const shares = await firstOf([
      untilBegun(test, revisionId, { [plant.agentId]: 2, [cloud.agentId]: 1 }).then(() => ({ leaving: plant, staying: cloud })),
      untilBegun(test, revisionId, { [plant.agentId]: 1, [cloud.agentId]: 2 }).then(() => ({ leaving: cloud, staying: plant })),
    ]);
    await shares.leaving.agent.close();
    await untilBegun(test, revisionId, { [shares.staying.agentId]: 3 });
  });
});

/** The first to come true; the watches of the others end with the fleet. */
async function firstOf<T>(cases: readonly Promise<T>[]): Promise<T> {
  for (const each of cases) each.catch(() => undefined);
  return Promise.race(cases);
}
