import type { AgentId, SiteId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import type { RosterEvents } from "./roster.ts";
import { shareIn, TestFleet } from "./testing/test-fleet.ts";

/** What the roster tells, in order. */
function listen(fleet: TestFleet, wanted: readonly (keyof RosterEvents)[]): string[] {
  const told: string[] = [];
  fleet.roster.observe(
    Object.fromEntries(wanted.map((name) => [name, (agent: { address: { agentId: string } }, incarnation?: string) => told.push([name, agent.address.agentId, ...(incarnation === undefined ? [] : [incarnation])].join(" "))])),
  );
  return told;
}

const standing = (fleet: TestFleet, name = "a1") => fleet.agent(name).standing;

describe("an agent", () => {
  it("is ready once it is introduced and has told its capacity, in whichever order", () => {
    const fleet = new TestFleet();
    fleet.joined.join("a1");
    fleet.joined.join("a2");
    expect(standing(fleet)).toBe("lost");
    fleet.introduction("a1");
    expect(standing(fleet)).toBe("unknown");
    fleet.heartbeat("a1");
    fleet.heartbeat("a2");
    expect(standing(fleet, "a2")).toBe("unknown");
    fleet.introduction("a2");
    expect([standing(fleet), standing(fleet, "a2")]).toEqual(["ready", "ready"]);
  });

  it("that a broker does not know is asked to introduce itself, now and then", () => {
    const fleet = new TestFleet();
    fleet.joined.join("a1");
    for (let at = 0; at < 50; at += 1) {
      fleet.heartbeat("a1");
      fleet.clock.advance(100);
    }
    expect(fleet.introduced).toHaveLength(3);
  });

  it("is told lost after three missed heartbeats, once", () => {
    const fleet = new TestFleet();
    const told = listen(fleet, ["lost"]);
    fleet.ready("a1");
    fleet.ready("a2");
    for (let second = 0; second < 14; second += 1) {
      fleet.clock.advance(1_000);
      fleet.heartbeat("a2");
    }
    expect(told).toEqual([]);
    fleet.clock.advance(1_000);
    expect(told).toEqual(["lost a1 first"]);
    expect([standing(fleet), standing(fleet, "a2")]).toEqual(["lost", "ready"]);
    fleet.clock.advance(60_000);
    expect(told).toEqual(["lost a1 first", "lost a2 first"]);
  });

  it("comes back with its next heartbeat, and can be lost again", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    const told = listen(fleet, ["lost", "changed"]);
    fleet.clock.advance(20_000);
    fleet.heartbeat("a1");
    expect(standing(fleet)).toBe("ready");
    fleet.clock.advance(15_000);
    expect(told).toEqual(["changed a1", "lost a1 first", "changed a1", "changed a1", "lost a1 first"]);
  });

  it("is told lost though something else made the roster look at it just before", () => {
    const fleet = new TestFleet();
    const told = listen(fleet, ["lost"]);
    fleet.ready("a1");
    fleet.ready("a2");
    fleet.roster.observe({ lost: () => fleet.joined.setSite({ siteId: "plant", regions: ["eu"] }) });
    fleet.clock.advance(15_000);
    expect(told).toEqual(["lost a1 first", "lost a2 first"]);
  });

  it("is not heard by a heartbeat that another overtook", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { heartbeat: { sequence: 7, running: 7 } });
    fleet.heartbeat("a1", { sequence: 6, running: 6 });
    fleet.heartbeat("a1", { sequence: 7, running: 8 });
    expect(fleet.agent("a1").capacity?.running).toBe(7);
    expect(fleet.roster.ignoredCount).toBe(2);
  });

  it("floods nobody: of one second a hundred messages are taken", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    fleet.clock.advance(1_000);
    const told = listen(fleet, ["heard", "changed"]);
    for (let at = 0; at < 500; at += 1) {
      fleet.heartbeat("a1");
      fleet.introduction("a1");
    }
    expect(told).toHaveLength(100);
    fleet.ready("a2");
    expect(standing(fleet, "a2")).toBe("ready");
    fleet.clock.advance(1_000);
    fleet.heartbeat("a1");
    expect(told.at(-1)).toBe("heard a1");
  });

  it("has the labels of its joining and facts of its own, and cannot name itself otherwise", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { labels: { rack: "7", "host/os": "bound" }, introduction: { hostLabels: { "host/os": "own", "host/gpu": "yes", rack: "8", zone: "x" } } });
    expect(fleet.agent("a1").labels).toEqual({ rack: "7", "host/os": "bound", "host/gpu": "yes" });
  });

  it("that nobody joined may be heard, is refused, and is forgotten when it falls silent", () => {
    const fleet = new TestFleet();
    const told = listen(fleet, ["gone", "lost"]);
    fleet.introduction("stranger");
    fleet.heartbeat("stranger");
    expect(standing(fleet, "stranger")).toBe("refused");
    fleet.clock.advance(15_000);
    expect(fleet.roster.get("stranger" as AgentId)).toBeUndefined();
    expect(told).toEqual(["lost stranger first", "gone stranger"]);
  });

  it("whose credential was taken back is refused at once", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    fleet.joined.revoke("a1");
    expect(fleet.agent("a1")).toMatchObject({ standing: "refused", detail: expect.stringContaining("revoked") });
    fleet.joined.join("a1");
    expect(standing(fleet)).toBe("ready");
  });

  it("that speaks a protocol too old is refused, and lost when it falls silent", () => {
    const fleet = new TestFleet();
    const told = listen(fleet, ["lost"]);
    fleet.ready("a1", { introduction: { protocolVersion: 0 } });
    expect(fleet.agent("a1")).toMatchObject({ standing: "refused", detail: expect.stringContaining("protocol 0") });
    fleet.clock.advance(60_000);
    expect(standing(fleet)).toBe("lost");
    expect(told).toEqual(["lost a1 first"]);
  });

  it("cannot be pushed aside by its own name at another site", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    const told = listen(fleet, ["lost", "gone", "changed"]);
    const elsewhere = { siteId: "cloud" as SiteId, agentId: "a1" as AgentId };
    fleet.roster.introduction(elsewhere, { ...fleet.agent("a1").introduction!, ...elsewhere, incarnation: "thief" });
    expect(standing(fleet)).toBe("ready");
    expect(told).toEqual([]);
    expect(fleet.roster.ignoredCount).toBe(1);
  });

  it("that joins again at another site leaves the first", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    const told = listen(fleet, ["lost", "gone"]);
    fleet.joined.join("a1", { site: "cloud" });
    expect(told).toEqual(["lost a1 first", "gone a1"]);
    expect(fleet.agent("a1").address.siteId).toBe("cloud");
  });
});

describe("a second process of an agent", () => {
  it("that takes over from one that is draining is the agent; what the old one runs is its own until it falls silent", () => {
    const fleet = new TestFleet();
    const told = listen(fleet, ["arrived", "lost"]);
    fleet.ready("a1");
    fleet.heartbeat("a1", { state: "draining" });
    fleet.introduction("a1", { incarnation: "second" });
    fleet.heartbeat("a1", { incarnation: "second", sequence: 1 });
    expect(standing(fleet)).toBe("ready");
    for (let second = 0; second < 20; second += 1) {
      fleet.clock.advance(1_000);
      if (second < 4) fleet.heartbeat("a1", { state: "draining" });
      fleet.heartbeat("a1", { incarnation: "second", sequence: second + 2 });
      expect(standing(fleet)).toBe("ready");
    }
    expect(told).toEqual(["arrived a1", "arrived a1", "lost a1 first"]);
  });

  it("that goes on beside the first has both refused, until one falls silent", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    fleet.introduction("a1", { incarnation: "thief" });
    let sequence = 0;
    const second = (isFirstHeard: boolean) => {
      fleet.clock.advance(1_000);
      if (isFirstHeard) fleet.heartbeat("a1");
      fleet.heartbeat("a1", { incarnation: "thief", sequence: (sequence += 1) });
    };
    for (let at = 0; at < 3; at += 1) second(true);
    expect(fleet.agent("a1")).toMatchObject({ standing: "refused", detail: "two processes use its credential" });
    for (let at = 0; at < 16; at += 1) second(false);
    expect(standing(fleet)).toBe("ready");
  });

  it("is told lost with the first when both fall silent together", () => {
    const fleet = new TestFleet();
    const told = listen(fleet, ["lost"]);
    fleet.ready("a1");
    fleet.heartbeat("a1", { state: "draining" });
    fleet.introduction("a1", { incarnation: "second" });
    fleet.heartbeat("a1", { incarnation: "second", sequence: 1 });
    fleet.clock.advance(60_000);
    expect(told).toEqual(["lost a1 first", "lost a1 second"]);
    expect(standing(fleet)).toBe("lost");
  });

  it("is told lost with the first when the agent joins at another site", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    fleet.introduction("a1", { incarnation: "second" });
    const told = listen(fleet, ["lost"]);
    fleet.joined.join("a1", { site: "cloud" });
    expect(told.sort()).toEqual(["lost a1 first", "lost a1 second"]);
  });

  it("is one too many when processes follow each other without end", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    for (let at = 0; at < 9; at += 1) fleet.introduction("a1", { incarnation: `number-${at}` });
    expect(standing(fleet)).toBe("refused");
  });

  it("knows nothing of what the first had", () => {
    const fleet = new TestFleet();
    const revision = testRevision();
    fleet.ready("a1", { heartbeat: { revisions: [shareIn(revision)] } });
    fleet.introduction("a1", { incarnation: "second" });
    expect([...fleet.agent("a1").shares]).toEqual([]);
    expect(fleet.agent("a1").capacity).toBeUndefined();
  });
});

describe("a roster that starts", () => {
  it("is ready once every agent that is there has been heard", async () => {
    const fleet = new TestFleet();
    fleet.joined.join("a1");
    const started = fleet.roster.start();
    expect(fleet.introduced).toHaveLength(1);
    fleet.heartbeat("a1");
    await started;
    fleet.roster.close();
  });

  it("waits no longer than a moment for those that are not", async () => {
    const fleet = new TestFleet();
    fleet.joined.join("a1");
    const started = fleet.roster.start();
    fleet.clock.advance(1_000);
    await started;
    expect(standing(fleet)).toBe("lost");
  });
});

describe("a site that changes", () => {
  it("is told of its own agents, and of no other's", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { site: "plant" });
    fleet.ready("a2", { site: "cloud" });
    const changed: string[] = [];
    fleet.roster.observe({ changed: ({ address }) => changed.push(address.agentId) });
    fleet.joined.setSite({ siteId: "plant", regions: ["eu"] });
    expect(changed).toEqual(["a1"]);
    expect(fleet.agent("a1").site?.regions).toEqual(["eu"]);
  });
});
