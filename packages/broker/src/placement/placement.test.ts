import type { FunctionDocument, SiteId, Where } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import { shareIn, TestFleet } from "../roster/testing/test-fleet.ts";
import { seededRandom } from "../testing/random.ts";

const mebibyte = 2 ** 20;
const stdio = (document: Partial<FunctionDocument> = {}) => testRevision({ document: { contract: "stdio", ...document } });

/** The agent's name, or what is said instead. */
function placed(fleet: TestFleet, revision = stdio(), where = {}): string {
  const choice = fleet.roster.placement.choose(revision, where);
  if (typeof choice === "string") return choice;
  return "address" in choice ? choice.address.agentId : choice.reason;
}

describe("placement", () => {
  it("prefers a free slot on a running instance, then a held one, then an image, then room", () => {
    const revision = stdio();
    const fleet = new TestFleet();
    const steps = [["room", undefined], ["present", shareIn(revision)], ["held", shareIn(revision, { instances: 1, held: 1 })], ["warm", shareIn(revision, { instances: 1, freeSlots: 1 })]] as const;
    for (const [name, share] of steps) {
      fleet.ready(name, { heartbeat: { running: 30, revisions: share === undefined ? [] : [share] } });
      expect(placed(fleet, revision)).toBe(name);
    }
  });

  it("prefers an instance that is being started and has slots to spare over another start", () => {
    const revision = testRevision({ document: { concurrency: 4 } });
    const fleet = new TestFleet();
    fleet.ready("present", { heartbeat: { revisions: [shareIn(revision)] } });
    fleet.ready("starting", { heartbeat: { revisions: [shareIn(revision, { instances: 1, starting: 1, running: 3 })] } });
    expect(placed(fleet, revision)).toBe("starting");
    fleet.heartbeat("starting", { revisions: [shareIn(revision, { instances: 1, starting: 1, running: 4 })] });
    expect(placed(fleet, revision)).not.toBe("full");
    fleet.roster.placement.took(fleet.agent("present"), revision);
    expect(["present", "starting"]).toContain(placed(fleet, revision));
  });

  it("takes the less loaded of two", () => {
    const fleet = new TestFleet();
    fleet.ready("idle", { heartbeat: { running: 0 } });
    fleet.ready("busy", { heartbeat: { running: 10 } });
    for (let at = 0; at < 20; at += 1) expect(placed(fleet)).toBe("idle");
  });

  it("counts what it sent since the last heartbeat", () => {
    const revision = stdio();
    const fleet = new TestFleet();
    const agent = fleet.ready("a1", { heartbeat: { instancesMax: 2, instancesFree: 1, revisions: [shareIn(revision, { instances: 1, freeSlots: 1 })] } });
    const { placement } = fleet.roster;
    placement.took(agent, revision);
    expect(placed(fleet, revision)).toBe("a1");
    placement.took(agent, revision);
    expect(placed(fleet, revision)).toBe("full");
    placement.released(agent, revision, false);
    placement.released(agent, revision, false);
    expect(placed(fleet, revision)).toBe("a1");
    fleet.heartbeat("a1", { instancesFree: 0, revisions: [shareIn(revision, { instances: 2, running: 2 })] });
    expect(placed(fleet, revision)).toBe("full");
  });

  it("knows the slots of an instance that was begun since", () => {
    const revision = testRevision({ document: { concurrency: 80 } });
    const fleet = new TestFleet();
    const agent = fleet.ready("a1", { heartbeat: { instancesMax: 1, instancesFree: 1 } });
    const { placement } = fleet.roster;
    for (let at = 0; at < 80; at += 1) {
      expect(placed(fleet, revision)).toBe("a1");
      placement.took(agent, revision);
    }
    expect(placed(fleet, revision)).toBe("full");
    placement.released(agent, revision, true);
    expect(placed(fleet, revision)).toBe("a1");
  });

  it("asks an agent full of others' work for an instance of a function that has fewer, one at a time, when nobody has room", () => {
    const [rare, other] = [stdio({ name: "rare" }), stdio({ name: "other" })];
    const fleet = new TestFleet();
    const agent = fleet.ready("a1", { heartbeat: { instancesFree: 0, cedesBelow: 2, revisions: [shareIn(rare), shareIn(other)] } });
    fleet.ready("a2", { heartbeat: { instancesFree: 1 } });
    expect(placed(fleet, rare)).toBe("a2");
    fleet.heartbeat("a2", { instancesFree: 0 });
    expect(placed(fleet, rare)).toBe("a1");
    fleet.roster.placement.took(agent, rare);
    expect([placed(fleet, rare), placed(fleet, other)]).toEqual(["full", "full"]);
    const beats = [shareIn(rare, { instances: 1, starting: 1, running: 1 }), shareIn(rare, { instances: 1, running: 1 }), shareIn(rare, { instances: 2, running: 2 })];
    const choices = beats.map((share) => {
      fleet.heartbeat("a1", { instancesFree: 0, cedesBelow: 2, revisions: [share, shareIn(other)] });
      return [placed(fleet, rare), placed(fleet, other)];
    });
    expect(choices).toEqual([["full", "a1"], ["a1", "a1"], ["full", "a1"]]);
  });

  it("asks an agent that refused for want of a slot only after its next heartbeat", () => {
    const revision = stdio();
    const fleet = new TestFleet();
    const agent = fleet.ready("a1");
    fleet.roster.placement.wasFull(agent, revision);
    expect(placed(fleet, revision)).toBe("full");
    fleet.heartbeat("a1", { revisions: [shareIn(revision)] });
    expect(placed(fleet, revision)).toBe("a1");
  });

  it("does not start more instances than memory, count or the function allow", () => {
    const fleet = new TestFleet();
    fleet.ready("memory", { site: "s1", heartbeat: { memoryFreeBytes: 200 * mebibyte } });
    fleet.ready("count", { site: "s2", heartbeat: { instancesFree: 0 } });
    expect(placed(fleet)).toBe("full");
    expect(placed(fleet, stdio({ memoryBytes: 200 * mebibyte }))).toBe("memory");
    const capped = stdio({ name: "capped", maxInstancesPerAgent: 1 });
    fleet.ready("a3", { heartbeat: { revisions: [shareIn(capped, { instances: 1, running: 1 })] } });
    expect(placed(fleet, capped, { agent: "a3" })).toBe("full");
    fleet.heartbeat("a3", { revisions: [shareIn(capped, { instances: 2, held: 1, running: 1 })] });
    expect(placed(fleet, capped, { agent: "a3" })).toBe("full"); // A held one may not be begun beside the one that runs.
  });

  it("runs an image that is in no registry only where it is", () => {
    const local = testRevision({ document: { contract: "stdio" }, image: { local: true } });
    const fleet = new TestFleet();
    fleet.ready("a1");
    expect(placed(fleet, local)).toBe("full");
    expect(fleet.roster.placement.explainFull(local, {})?.message).toContain("is in no registry");
    fleet.ready("a2", { heartbeat: { revisions: [shareIn(local)] } });
    expect(placed(fleet, local)).toBe("a2");
    expect(fleet.roster.placement.explainFull(local, {})).toBeUndefined();
  });

  it("sends an agent whose disk is full only what it has the image of, and says so when that leaves nobody", () => {
    const disk = { totalBytes: 100, freeBytes: 1, imagesBytes: 0, pressure: true };
    const [revision, other] = [stdio(), stdio({ name: "other" })];
    const fleet = new TestFleet();
    fleet.ready("a1", { heartbeat: { disk, revisions: [shareIn(revision)] } });
    expect(placed(fleet, revision)).toBe("a1");
    expect(placed(fleet, other)).toBe("full");
    expect(fleet.roster.placement.explainFull(other, {})).toMatchObject({ reason: "disk_full", message: 'Cannot place "other": no eligible agent has its image, and the disk of each is full' });
    expect(fleet.roster.placement.explainFull(revision, {})).toBeUndefined();
    fleet.ready("a2");
    expect(placed(fleet, other)).toBe("a2");
    expect(fleet.roster.placement.explainFull(other, {})).toBeUndefined();
  });

  it("takes an agent for everything again once its disk has room", () => {
    const disk = { totalBytes: 100, freeBytes: 1, imagesBytes: 0, pressure: true };
    const fleet = new TestFleet();
    fleet.ready("a1", { heartbeat: { disk } });
    expect(placed(fleet)).toBe("full");
    fleet.heartbeat("a1", { disk: { ...disk, freeBytes: 50, pressure: false } });
    expect(placed(fleet)).toBe("a1");
  });

  it("goes where a preference is met, and elsewhere when nobody there can", () => {
    const revision = stdio({ placement: { prefer: [{ key: "tier", value: "gold" }, { key: "tier", value: "silver" }] } });
    const fleet = new TestFleet();
    fleet.ready("plain", { heartbeat: { revisions: [shareIn(revision, { instances: 1, freeSlots: 1 })] } });
    fleet.ready("silver", { labels: { tier: "silver" } });
    fleet.ready("gold", { labels: { tier: "gold" }, heartbeat: { instancesFree: 1 } });
    expect(placed(fleet, revision)).toBe("gold");
    fleet.roster.placement.took(fleet.agent("gold"), revision);
    expect(placed(fleet, revision)).toBe("silver");
    fleet.joined.revoke("silver");
    expect(placed(fleet, revision)).toBe("plain");
  });

  it("keeps an agent that is excluded out, and says when all are", () => {
    const fleet = new TestFleet();
    const revision = stdio();
    const one = fleet.ready("a1");
    const other = fleet.ready("a2");
    const { placement } = fleet.roster;
    expect(placement.choose(revision, {}, new Set([one]))).toBe(other);
    expect(placement.choose(revision, {}, new Set([one, other]))).toBe("exhausted");
  });

  it("follows every change of an agent", () => {
    const fleet = new TestFleet();
    fleet.ready("a1");
    expect(placed(fleet)).toBe("a1");
    fleet.joined.join("a1", { cordoned: true });
    expect(placed(fleet)).toBe("no_agent_eligible");
    fleet.joined.join("a1");
    fleet.heartbeat("a1", { state: "draining" });
    expect(placed(fleet)).toBe("agent_draining");
    fleet.heartbeat("a1", { state: "unhealthy", detail: "its engine hangs" });
    expect(placed(fleet)).toBe("engine_unavailable");
    fleet.heartbeat("a1");
    expect(placed(fleet)).toBe("a1");
    fleet.clock.advance(20_000);
    expect(placed(fleet)).toBe("site_disconnected");
    fleet.joined.revoke("a1");
    expect(placed(fleet)).toBe("no_agent_eligible");
  });

  it("knows a thousand requirements and more, and forgets the least used", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { labels: { rack: "7" } });
    const revision = stdio();
    for (let at = 0; at < 3_000; at += 1) {
      expect(placed(fleet, revision, { labels: { rack: "7", [`n${at}`]: "1" } })).toBe("no_agent_eligible");
      expect(placed(fleet, revision, { labels: { rack: "7" } })).toBe("a1");
    }
  });

  it("does not take a label for another thing's name", () => {
    const fleet = new TestFleet();
    fleet.ready("a1", { labels: { constructor: "x" } });
    expect(placed(fleet, stdio(), { labels: { constructor: "x" } })).toBe("a1");
    expect(placed(fleet, stdio({ placement: { require: { constructor: "x" } } }), { labels: { constructor: "x" } })).toBe("a1");
  });
});

describe("a call's where", () => {
  it("narrows what the function allows, and never widens it", () => {
    const fleet = new TestFleet();
    fleet.ready("p1", { site: "plant", labels: { gpu: "a" } });
    fleet.ready("c1", { site: "cloud", labels: { gpu: "b" } });
    const bound = stdio({ placement: { sites: ["plant"], require: { gpu: "a" } } });
    expect(placed(fleet, bound)).toBe("p1");
    expect(placed(fleet, bound, { site: "plant", agent: "p1", labels: { gpu: "a" } })).toBe("p1");
    for (const where of [{ site: "cloud" }, { agent: "c1" }, { labels: { gpu: "b" } }]) expect(placed(fleet, bound, where)).toBe("no_agent_eligible");
  });
});

describe("placement, whatever happens to a fleet (seeded walks)", () => {
  it("chooses only who meets everything, and of those the best tier", () => {
    for (let seed = 1; seed <= 40; seed += 1) walk(seed);
  });
});

/** Up to 40 agents: so few are all looked at, so that the best tier is the best of all. */
function walk(seed: number): void {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly [T, ...T[]]): T => values[Math.floor(random() * values.length)] ?? values[0];
  const fleet = new TestFleet(random);
  fleet.joined.setSite({ siteId: "plant", regions: ["eu"] });
  fleet.joined.setSite({ siteId: "cloud", regions: ["us", "eu"] });
  fleet.joined.setSite({ siteId: "closed", regions: ["us"], tenants: ["other"] });
  const revisions = [
    stdio(),
    stdio({ name: "here", placement: { sites: ["plant"], require: { gpu: "yes" } } }),
    stdio({ name: "stays", placement: { residency: ["us"] } }),
    testRevision({ document: { name: "arm", contract: "stdio" }, image: { architecture: "arm64" } }),
  ] as const;
  for (let step = 0; step < 150; step += 1) {
    const name = `a${Math.floor(random() * 40)}`;
    const revision = pick(revisions);
    const action = random();
    if (action < 0.3) {
      fleet.ready(name, {
        site: pick(["plant", "cloud", "closed"]),
        labels: random() < 0.5 ? { gpu: pick(["yes", "no"]) } : {},
        cordoned: random() < 0.1,
        introduction: { architecture: pick(["amd64", "arm64"]) },
      });
    } else if (action < 0.6 && fleet.roster.get(name as never)?.joined !== undefined) {
      const instances = Math.floor(random() * 4);
      const held = Math.min(instances, Math.floor(random() * 2));
      fleet.heartbeat(name, {
        state: pick(["ready", "ready", "ready", "draining", "unhealthy"]),
        instancesFree: Math.floor(random() * 3),
        running: Math.floor(random() * 8),
        revisions: random() < 0.3 ? [] : [shareIn(revision, { instances, held, freeSlots: Math.floor(random() * (instances - held + 1)) })],
      });
    } else if (action < 0.65) {
      fleet.joined.revoke(name);
    } else if (action < 0.7) {
      fleet.clock.advance(pick([100, 4_000]));
    }
    const where = random() < 0.7 ? {} : pick<Where>([{ site: "cloud" as SiteId }, { labels: { gpu: "yes" } }, { agent: name }]);
    check(fleet, revision, where, `seed ${seed}, step ${step}`);
  }
}

type Wanted = Parameters<TestFleet["roster"]["placement"]["choose"]>;

function check(fleet: TestFleet, revision: Wanted[0], where: Wanted[1], at: string): void {
  const able = [...fleet.roster.agents()].filter((agent) => {
    const { placement: rules } = revision.spec;
    const site = fleet.joined.site(agent.address.siteId);
    return (
      fleet.roster.isHeard(agent) &&
      agent.capacity?.state === "ready" &&
      agent.joined?.cordoned === false &&
      agent.introduction?.architecture === revision.image.architecture &&
      site?.tenants?.includes(revision.tenantId) !== false &&
      (rules.sites?.includes(agent.address.siteId) ?? true) &&
      (where.site === undefined || where.site === agent.address.siteId) &&
      (where.agent === undefined || where.agent === agent.address.agentId) &&
      (rules.residency === undefined || site?.regions.some((region) => rules.residency?.includes(region)) === true) &&
      Object.entries({ ...rules.require, ...where.labels }).every(([key, value]) => agent.labels[key] === value)
    );
  });
  const worth = (agent: (typeof able)[number]) => {
    const share = agent.shares.get(revision.digest);
    const { freeSlots = 0, held = 0, imagePresent = false } = share?.capacity ?? {};
    if (freeSlots > 0) return 4;
    if (held > 0) return 3;
    if ((agent.capacity?.instancesFree ?? 0) < 1) return 0;
    return imagePresent ? 2 : 1;
  };
  const best = Math.max(0, ...able.map(worth));
  const choice = fleet.roster.placement.choose(revision, where);
  if (able.length === 0) expect(typeof choice === "object" && "reason" in choice, at).toBe(true);
  else if (best === 0) expect(choice, at).toBe("full");
  else {
    const agent = able.find((each) => each === choice);
    expect(agent, `${at}: chose what it may not`).toBeDefined();
    if (agent !== undefined) expect(worth(agent), at).toBe(best);
  }
}
