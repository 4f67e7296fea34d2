import { describe, expect, it } from "vitest";
import { EngineError } from "./engine.ts";
import { ensureNetworks, type ExistingNetwork, type NetworkCalls, planNetworks, removeNetworks } from "./networks.ts";

const planned = planNetworks("plant-1");
const asPlanned = (network: (typeof planned)["internal"], id: string): ExistingNetwork => ({ ...network, id, driver: "bridge", isolatesContainers: true });

function createCalls(existing: ExistingNetwork[]) {
  const log: string[] = [];
  const calls: NetworkCalls = {
    listOwned: async () => [...existing],
    create: async ({ name, bridge, internal, options, labels }) => void log.push(`create ${name} ${bridge} ${internal} ${JSON.stringify(options)} ${JSON.stringify(labels)}`),
    remove: async (id) => void log.push(`remove ${id}`),
    removeContainersOn: async ({ id }) => void log.push(`empty ${id}`),
  };
  return { calls, log };
}

describe("planNetworks()", () => {
  it("names bridges within what the kernel allows, each agent its own", () => {
    const other = planNetworks("plant-2");
    const bridges = [planned.internal.bridge, planned.internet.bridge, other.internal.bridge, other.internet.bridge];
    expect(new Set(bridges).size).toBe(4);
    for (const bridge of bridges) expect(bridge).toMatch(/^ls[0-9a-f]{8}[ie]$/);
    expect(planNetworks("plant-1")).toEqual(planned);
  });
});

describe("ensureNetworks()", () => {
  it("makes both with their isolation and labels", async () => {
    const { calls, log } = createCalls([]);
    await ensureNetworks("plant-1", calls);
    expect(log).toEqual([planned.internal, planned.internet].map(({ name, bridge, internal }) =>
      `create ${name} ${bridge} ${internal} {"com.docker.network.bridge.name":"${bridge}","com.docker.network.bridge.enable_icc":"false"} {"longshore.agent":"plant-1","longshore.fleet":"true"}`));
  });

  it("keeps those that are as planned", async () => {
    const { calls, log } = createCalls([asPlanned(planned.internal, "a"), asPlanned(planned.internet, "b")]);
    await ensureNetworks("plant-1", calls);
    expect(log).toEqual([]);
  });

  it.each([
    ["lets containers talk", { isolatesContainers: false }],
    ["has another bridge", { bridge: "br-1" }],
    ["has a way out", { internal: false }],
    ["is not a bridge", { driver: "macvlan" }],
  ])("replaces one that %s, after what runs on it", async (_what, difference) => {
    const { calls, log } = createCalls([{ ...asPlanned(planned.internal, "a"), ...difference }, asPlanned(planned.internet, "b")]);
    await ensureNetworks("plant-1", calls);
    expect(log.slice(0, 2)).toEqual(["empty a", "remove a"]);
    expect(log[2]).toContain(`create ${planned.internal.name}`);
    expect(log).toHaveLength(3);
  });

  it("keeps one of two with the same name", async () => {
    const { calls, log } = createCalls([asPlanned(planned.internal, "a"), asPlanned(planned.internal, "a2"), asPlanned(planned.internet, "b")]);
    await ensureNetworks("plant-1", calls);
    expect(log).toEqual(["empty a2", "remove a2"]);
  });
});

describe("removeNetworks()", () => {
  it("does not mind one that has gone meanwhile, and says when one is in use", async () => {
    const { calls } = createCalls([asPlanned(planned.internal, "a")]);
    await removeNetworks({ ...calls, remove: () => Promise.reject(new EngineError("not_found", 404, "gone")) });
    const inUse = new EngineError("conflict", 403, "in use");
    await expect(removeNetworks({ ...calls, remove: () => Promise.reject(inUse) })).rejects.toBe(inUse);
  });
});
