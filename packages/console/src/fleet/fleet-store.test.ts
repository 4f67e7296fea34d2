import { describe, expect, it } from "vitest";
import { agentView } from "../testing/views.ts";
import { FleetStore } from "./fleet-store.ts";

const agent = (...given: Parameters<typeof agentView>) => ({ event: "agent", agent: agentView(...given) }) as const;
const caughtUp = { event: "caught_up" } as const;

describe("the fleet", () => {
  it("is in order of sites and names, whatever the order in which it was told", () => {
    const store = new FleetStore();
    for (const event of [agent("b", "plant"), agent("c", "cloud"), agent("a", "plant")]) store.take(event, 0);
    expect(store.hasCaughtUp).toBe(false);
    store.take(caughtUp, 0);
    expect([store.hasCaughtUp, store.agents().map(({ agentId }) => agentId)]).toEqual([true, ["c", "a", "b"]]);
    expect(store.changes.items()).toEqual([]);
  });

  it("keeps its order while hosts change, and takes each where it stands", () => {
    const store = new FleetStore();
    const all = Array.from({ length: 50 }, (_, at) => `a${String((at * 7) % 50).padStart(2, "0")}`);
    for (const id of all) store.take(agent(id, `s${Number(id.slice(1)) % 3}`), 0);
    const before = store.agents().map(({ agentId }) => agentId);
    for (const id of all) store.take(agent(id, `s${Number(id.slice(1)) % 3}`, { running: Number(id.slice(1)) }), 0);
    expect(store.agents().map(({ agentId }) => agentId)).toEqual(before);
    expect(store.agents().every(({ agentId, capacity }) => capacity.running === Number(agentId.slice(1)))).toBe(true);
    store.take(agent("a00", "s9"), 0);
    expect(store.agents().at(-1)?.agentId).toBe("a00");
  });

  it("tells of each host that becomes something else, comes or goes, and not of heartbeats", () => {
    const store = new FleetStore();
    for (const event of [agent("a", "plant"), caughtUp, agent("a", "plant", { running: 3 }), agent("a", "plant", { cordoned: true }), agent("b", "plant", { state: "draining" })]) store.take(event, 5);
    store.take({ event: "agent_gone", agentId: "a" }, 9);
    store.take({ event: "agent_gone", agentId: "a" }, 9);
    expect(store.changes.items()).toEqual([
      { atMs: 5, agentId: "a", siteId: "plant", from: "ready", to: "cordoned" },
      { atMs: 5, agentId: "b", siteId: "plant", from: undefined, to: "draining" },
      { atMs: 9, agentId: "a", siteId: "plant", from: "cordoned", to: undefined },
    ]);
    expect(store.size).toBe(1);
  });

  it("loses, once all was told again, who went while the connection was broken, and nobody before", () => {
    const store = new FleetStore();
    for (const event of [agent("a", "plant"), agent("b", "plant"), caughtUp]) store.take(event, 0);
    store.beginAgain();
    store.take(agent("a", "plant"), 1);
    expect(store.size).toBe(2);
    store.take(caughtUp, 1);
    expect(store.agents().map(({ agentId }) => agentId)).toEqual(["a"]);
    store.take(caughtUp, 2);
    expect(store.size).toBe(1);
  });
});
