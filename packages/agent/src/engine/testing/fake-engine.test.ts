import { describe, expect, it } from "vitest";
import { EngineError, type EngineEvent } from "../engine.ts";
import { contractPrograms, type ContractProgramName } from "./contract-programs.ts";
import { describeEngineContract } from "./engine-contract.ts";
import { createFakeEngine } from "./fake-engine.ts";

const images = Object.fromEntries(Object.entries(contractPrograms).map(([name, { fake }]) => [`docker.io/contract/${name}:1`, { program: fake }]));

describeEngineContract("the fake engine", async () => {
  const spare = "docker.io/contract/spare:1";
  const engine = createFakeEngine({ agentId: "one", images: { ...images, [spare]: {} } });
  return {
    engine,
    otherAgent: createFakeEngine({ agentId: "two", sharedWith: engine }),
    program: (name: ContractProgramName) => ({ image: `docker.io/contract/${name}:1`, entrypoint: [], command: [] }),
    spareImage: async () => spare,
    removeFromOutside: async (id) => engine.removeFromOutside(id),
    close: async () => {},
  };
});

describe("createFakeEngine()", () => {
  it("fails the next call of a method, and only that", async () => {
    const engine = createFakeEngine();
    engine.failNext("describe", new EngineError("internal", 500, "broken"));
    await expect(engine.describe()).rejects.toThrow("broken");
    expect(await engine.describe()).toMatchObject({ name: "fake" });
    expect(engine.calls).toEqual(["describe", "describe"]);
  });

  it("holds calls back until they are released", async () => {
    const engine = createFakeEngine();
    const held = engine.hold("ensureNetworks");
    const ensured = engine.ensureNetworks();
    await held.reached;
    expect(engine.networks).toBe("absent");
    held.release();
    await ensured;
    expect(engine.networks).toBe("present");
  });

  it("goes away and comes back with a gap", async () => {
    const engine = createFakeEngine();
    const events: EngineEvent[] = [];
    engine.watch((event) => events.push(event));
    engine.goAway();
    await expect(engine.listOwned()).rejects.toMatchObject({ failure: "unreachable", status: 0 });
    engine.comeBack();
    expect(await engine.listOwned()).toEqual([]);
    expect(events).toEqual([{ kind: "gap" }]);
  });
});
