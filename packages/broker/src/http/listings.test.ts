import type { AgentList, FunctionList } from "@longshore/protocol";
import { afterEach, describe, expect, it } from "vitest";
import { Functions } from "../registry/functions.ts";
import { testRevision } from "../registry/testing/revision.ts";
import { FleetOperations, type FleetOperationsOptions } from "../roster/fleet-operations.ts";
import { TestFleet } from "../roster/testing/test-fleet.ts";
import { type HttpRig, startHttpRig } from "./testing/http-rig.ts";

let rig: HttpRig;
afterEach(() => rig.close());

const idOf = (at: number) => `a${String(at).padStart(5, "0")}`;

/** A broker's doors before so many agents, in turn at three sites. */
async function start(agents: number): Promise<TestFleet> {
  const fleet = new TestFleet();
  for (let at = agents - 1; at >= 0; at -= 1) fleet.joined.join(idOf(at), { site: `site-${at % 3}` });
  const { roster, joined } = fleet;
  const revisions = ["c", "a", "d", "b"].toSorted().map((name) => testRevision({ document: { name } }));
  const functions = new Functions({ list: () => revisions } as never, undefined as never);
  rig = await startHttpRig({}, { parts: { fleet: new FleetOperations({ roster, joined, nameRevision: () => undefined } as unknown as FleetOperationsOptions), functions } });
  return fleet;
}

const page = async <T>(path: string) => (await rig.send({ path })).json() as unknown as T;
const agentsOf = async (query: string) => page<AgentList>(`/v1/agents?${query}`);

describe("GET /v1/agents", () => {
  it("gives every agent once, by name, page after page, and says where it goes on", async () => {
    await start(2_500);
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let after: string | undefined = ""; after !== undefined; ) {
      const { agents, next }: AgentList = await agentsOf(after === "" ? "" : `after=${after}`);
      sizes.push(agents.length);
      seen.push(...agents.map(({ agentId }) => agentId));
      after = next;
    }
    expect(sizes).toEqual([1_000, 1_000, 500]);
    expect(seen).toEqual(Array.from({ length: 2_500 }, (_, at) => idOf(at)));
  });

  it("moves nothing from one page to another when agents come and go between them", async () => {
    const fleet = await start(10);
    const { next } = await agentsOf("limit=5");
    fleet.joined.revoke(idOf(4)); // The very one that was last.
    fleet.joined.join("a00000-new");
    fleet.joined.join("a00007-new");
    expect((await agentsOf(`limit=3&after=${next ?? ""}`)).agents.map(({ agentId }) => agentId)).toEqual([idOf(5), idOf(6), idOf(7)]);
    expect((await agentsOf(`after=${idOf(7)}`)).agents.map(({ agentId }) => agentId)).toEqual(["a00007-new", idOf(8), idOf(9)]);
  });

  it("narrows to a site, in pages of its own, and says nothing of more at the end", async () => {
    await start(9);
    const first = await agentsOf("site=site-1&limit=2");
    expect(first).toMatchObject({ agents: [{ agentId: idOf(1) }, { agentId: idOf(4) }], next: idOf(4) });
    const last = await agentsOf(`site=site-1&limit=1&after=${idOf(4)}`);
    expect(last.agents.map(({ agentId }) => agentId)).toEqual([idOf(7)]);
    expect(last).not.toHaveProperty("next");
    expect(await agentsOf("site=nowhere")).toEqual({ agents: [] });
  });

  it.each([["limit=0", "limit"], ["limit=1001", "limit"], ["limit=-1", "limit"], ["limit=ten", "limit"], ["limit=", "limit"], [`after=${"a".repeat(129)}`, "after"], ["site=No%20Such", "site"], ["page=2", "page"]])("refuses %s, naming the parameter", async (query, field) => {
    await start(1);
    const answer = await rig.send({ path: `/v1/agents?${query}` });
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ reason: "bad_schema", field: expect.stringContaining(field) });
  });
});

describe("GET /v1/functions", () => {
  it("gives functions by name in pages", async () => {
    await start(0);
    const first = await page<FunctionList>("/v1/functions?limit=3");
    expect(first.functions.map(({ name }) => name)).toEqual(["a", "b", "c"]);
    expect((await page<FunctionList>(`/v1/functions?limit=3&after=${first.next ?? ""}`)).functions.map(({ name }) => name)).toEqual(["d"]);
    expect((await rig.send({ path: "/v1/functions?limit=0" })).json()).toMatchObject({ status: 400, field: expect.stringContaining("limit") });
  });
});
