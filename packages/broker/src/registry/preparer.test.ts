import type { AgentAddress, Ask, Revision } from "@longshore/protocol";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { TestFleet } from "../roster/testing/test-fleet.ts";
import { chooseKeeping } from "./choose-holders.ts";
import { Preparer } from "./preparer.ts";
import type { Registry } from "./registry.ts";
import { testRevision } from "./testing/revision.ts";

type Prepare = Extract<Ask, { ask: "prepare" }>;

/** What one agent was asked to keep of a revision. */
interface Asked {
  readonly agentId: string;
  readonly functionName: string;
  readonly held: number;
  readonly minimum: number;
}

/** A preparer over a fleet and a registry of the test's; agents do at once what they are asked, unless the test holds them up. */
class PreparerScene {
  readonly fleet = new TestFleet();
  readonly asked: Asked[] = [];
  readonly revisions: Revision[] = [];
  /** While set, asks are answered only once it resolves. */
  holdUp: Promise<void> | undefined;
  readonly preparer: Preparer;

  constructor(revisions: readonly Revision[]) {
    const registry = { isReady: true, onChange: () => undefined, list: () => [...revisions], current: (digest: string) => revisions.find((each) => each.digest === digest) };
    this.preparer = new Preparer({
      registry: registry as Partial<Registry> as Registry,
      roster: this.fleet.roster,
      asker: { ask: (agent, question) => this.#ask(agent, question) },
      credentials: { find: () => undefined, onChange: () => undefined },
      clock: this.fleet.clock,
      log: pino({ level: "silent" }),
    });
  }

  /** Time for a pass and all that it asks. */
  async pass(): Promise<void> {
    this.fleet.clock.advance(100);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }

  /** What each agent keeps, by what it was asked last. */
  get minimums(): Record<string, number> {
    return Object.fromEntries(this.asked.map(({ agentId, minimum }) => [agentId, minimum]));
  }

  async #ask({ agentId }: AgentAddress, question: Ask): Promise<unknown> {
    const { revision, held, minimum } = question as Prepare;
    await this.holdUp;
    this.revisions.push(revision);
    this.asked.push({ agentId, functionName: revision.functionName, held, minimum });
    return {};
  }
}

describe("a preparer", () => {
  it("does not tell agents where a function's results are told: URLs may hold tokens", async () => {
    const scene = new PreparerScene([testRevision({ document: { destinations: { onSuccess: { url: "https://hooks.example/hush" } } } })]);
    scene.fleet.ready("a1");
    scene.preparer.start();
    await scene.pass();
    expect(scene.revisions).toHaveLength(1);
    expect(JSON.stringify(scene.revisions)).not.toContain("hush");
  });

  it("has two agents of a site hold an instance, and some more bring the image", async () => {
    const scene = new PreparerScene([testRevision()]);
    for (let at = 0; at < 12; at += 1) scene.fleet.ready(`a${at}`);
    scene.preparer.start();
    await scene.pass();
    expect(scene.asked.map(({ held }) => held).sort()).toEqual([0, 0, 0, 0, 0, 0, 1, 1]);
  });

  it("asks nobody twice for the same", async () => {
    const scene = new PreparerScene([testRevision()]);
    scene.fleet.ready("a");
    scene.preparer.start();
    await scene.pass();
    scene.fleet.joined.setSite({ siteId: "plant", regions: ["eu"] });
    await scene.pass();
    expect(scene.asked).toHaveLength(1);
  });

  it("gives what an agent kept of a function's minimum to those that are left, and takes it back when it returns", async () => {
    const scene = new PreparerScene([testRevision({ document: { minInstances: 3 } })]);
    for (const name of ["a", "b"]) scene.fleet.ready(name);
    scene.preparer.start();
    await scene.pass();
    expect(Object.values(scene.minimums).sort()).toEqual([1, 2]);
    scene.fleet.heartbeat("a", { state: "draining" });
    await scene.pass();
    expect(scene.minimums["b"]).toBe(3);
    scene.fleet.heartbeat("a");
    await scene.pass();
    expect(Object.values(scene.minimums).sort()).toEqual([1, 2]);
  });

  it("tells who no longer holds, when a better one comes", async () => {
    const scene = new PreparerScene([testRevision()]);
    scene.fleet.ready("a0");
    scene.preparer.start();
    await scene.pass();
    for (let at = 1; at < 40; at += 1) scene.fleet.ready(`a${at}`);
    await scene.pass();
    const held = new Map(scene.asked.map(({ agentId, held }) => [agentId, held]));
    expect([...held.values()].filter((count) => count > 0)).toHaveLength(2);
  });

  it("asks for what is wanted at its turn, not for what was wanted when it came into line", async () => {
    const revision = testRevision();
    const scene = new PreparerScene([...["f0", "f1"].map((name) => testRevision({ document: { name } })), revision]);
    const { promise, resolve } = Promise.withResolvers<void>();
    scene.holdUp = promise;
    const agents = ["a", "b", "c"].map((name) => scene.fleet.ready(name));
    const holders = chooseKeeping(revision.digest, 0, agents);
    const third = agents.find((agent) => !holders.has(agent))?.address.agentId;
    scene.preparer.start();
    await scene.pass(); // The first two asks of each agent are under way; the third one's other waits, and is to hold nothing.
    scene.fleet.heartbeat([...holders.keys()][0]?.address.agentId ?? "", { state: "draining" });
    await scene.pass(); // Now it is to hold one, which is more urgent.
    resolve();
    for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();
    expect(scene.asked.filter(({ agentId, functionName }) => agentId === third && functionName === "resize").map(({ held }) => held)).toEqual([1]);
  });

  it("lets others have their turn during a pass over many revisions", async () => {
    const scene = new PreparerScene(Array.from({ length: 30 }, (_, at) => testRevision({ document: { name: `f${at}` } })));
    scene.fleet.ready("a");
    const { clock } = scene.fleet;
    const nowMs = clock.nowMs.bind(clock);
    let spentMs = 0;
    clock.nowMs = () => nowMs() + (spentMs += 1); // Each look at the clock takes a millisecond.
    scene.preparer.start();
    for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
    expect(scene.asked.length).toBeGreaterThan(0);
    expect(scene.asked.length).toBeLessThan(10);
    for (let round = 0; round < 20; round += 1) await scene.pass();
    expect(scene.asked).toHaveLength(30);
  });
});
