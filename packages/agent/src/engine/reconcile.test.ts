import { describe, expect, it } from "vitest";
import { formatAdoption, parseAdoption } from "./adoption.ts";
import { type ContainerId, EngineError, type OwnedContainer } from "./engine.ts";
import { instanceLabels } from "./labels.ts";
import { type Belief, planReconcile, sweep } from "./reconcile.ts";

const nothingKnown: Belief = { known: new Set(), busy: new Set() };
const http = formatAdoption({ contract: "http", mode: "become", port: 8080, concurrency: 80 });
const stdio = formatAdoption({ contract: "stdio", mode: "run", concurrency: 1 });

function owned(instanceId: string, changes: Partial<OwnedContainer> & { adoption?: string; revisionDigest?: string } = {}): OwnedContainer {
  const { adoption = http, revisionDigest = "d".repeat(32), ...rest } = changes;
  const labels = instanceLabels({ agentId: "a", instanceId, revisionDigest, revisionId: "resize-r1", adoption });
  return { id: `c-${instanceId}` as ContainerId, name: instanceId, labels, running: true, ip: "172.18.0.2", ...rest };
}
const causes = (containers: OwnedContainer[], belief = nothingKnown) => Object.fromEntries(planReconcile(containers, belief).remove.map(({ container, cause }) => [container.name, cause]));

describe("planReconcile()", () => {
  it("adopts what runs and can serve many", () => {
    const container = owned("i1");
    expect(planReconcile([container], nothingKnown)).toEqual({
      adopt: [{ container, instanceId: "i1", revisionDigest: "d".repeat(32), adoption: { contract: "http", mode: "become", port: 8080, concurrency: 80 } }],
      remove: [],
      missing: [],
    });
  });

  it("removes everything else, and says why", () => {
    expect(
      causes(
        [
          owned("exited", { running: false }),
          owned("one-call", { adoption: stdio }),
          owned("unreadable", { adoption: "{" }),
          owned("of-a-newer-agent", { adoption: '{"contract":"telepathy"}' }),
          owned("of-no-revision", { revisionDigest: "" }),
          owned("nowhere", { ip: undefined }),
          owned("no-instance", { labels: { "longshore.agent": "a" } }),
          owned("busy"),
        ],
        { known: new Set(), busy: new Set(["busy"]) },
      ),
    ).toEqual({
      "exited": "not_running",
      "one-call": "not_adoptable",
      "unreadable": "not_adoptable",
      "of-a-newer-agent": "not_adoptable",
      "of-no-revision": "not_adoptable",
      "nowhere": "not_adoptable",
      "no-instance": "no_instance",
      "busy": "busy",
    });
  });

  it("leaves alone what this process looks after, in whatever state", () => {
    const belief: Belief = { known: new Set(["i1", "i2", "i3"]), busy: new Set(["i2"]) };
    expect(planReconcile([owned("i1", { running: false }), owned("i2")], belief)).toEqual({ adopt: [], remove: [], missing: ["i3"] });
  });

  it("removes what could go on serving too, once everybody who could adopt it has had the time", () => {
    expect(causes([owned("left"), owned("known")], { known: new Set(["known"]), busy: new Set(), isSettled: true })).toEqual({ left: "left_over" });
  });

  it("keeps one of two containers of one instance", () => {
    const [first, second] = [owned("i1"), owned("i1", { id: "c-other" as ContainerId })];
    const plan = planReconcile([first, second], nothingKnown);
    expect(plan.adopt.map(({ container }) => container)).toEqual([first]);
    expect(plan.remove).toEqual([{ container: second, cause: "duplicate" }]);
  });
});

describe("sweep()", () => {
  it("removes each, whatever becomes of the others", async () => {
    const removed: string[] = [];
    const engine = {
      listOwned: async () => [owned("a", { running: false }), owned("b", { running: false }), owned("c")],
      async removeContainer(id: ContainerId) {
        if (id === "c-a") throw new EngineError("internal", 500, "busy");
        removed.push(id);
      },
    };
    const plan = await sweep(engine, () => nothingKnown);
    expect([removed, plan.adopt.map(({ instanceId }) => instanceId), plan.remaining.map(({ id }) => id)]).toEqual([["c-b"], ["c"], ["c-a"]]);
  });

  it("asks what is known only once the engine has answered", async () => {
    const known = new Set<string>();
    const engine = {
      async listOwned() {
        known.add("begun-meanwhile");
        return [owned("begun-meanwhile", { running: false })];
      },
      removeContainer: () => Promise.reject(new Error("must not be removed")),
    };
    expect(await sweep(engine, () => ({ known, busy: new Set() }))).toEqual({ adopt: [], remove: [], missing: [], remaining: [] });
  });
});

describe("parseAdoption()", () => {
  it("reads what formatAdoption() wrote, and nothing else", () => {
    expect(parseAdoption(stdio)).toEqual({ contract: "stdio", mode: "run", concurrency: 1 });
    for (const label of [undefined, "", "null", "[]", '{"contract":"http","mode":"become","concurrency":0}']) expect(parseAdoption(label)).toBeUndefined();
  });
});
