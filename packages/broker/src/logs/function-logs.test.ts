import { type AgentAddress, type Ask, LongshoreError, type LogLine, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import type { AskOptions } from "../roster/ask-agent.ts";
import { shareIn, TestFleet } from "../roster/testing/test-fleet.ts";
import { FunctionLogs, type LogQuery } from "./function-logs.ts";

const acme = "acme" as TenantId;
const revision = testRevision();

/** An ask that an agent answers when the test says so. */
interface OpenAsk {
  readonly agentId: string;
  readonly question: Ask;
  line(at: number, text: string): void | Promise<void>;
  end(): void;
  fail(error: Error): void;
}

class Rig {
  readonly fleet = new TestFleet();
  readonly asks: OpenAsk[] = [];
  readonly logs: FunctionLogs;
  readonly #told: (() => void)[] = [];

  constructor(ranOn?: string) {
    this.logs = new FunctionLogs({
      roster: this.fleet.roster,
      asker: { ask: (agent, question, options) => this.#ask(agent, question, options) },
      clock: this.fleet.clock,
      revisions: (tenantId, functionName) => {
        if (tenantId === revision.tenantId && functionName === revision.functionName) return [revision];
        throw new LongshoreError("function_not_found", "Cannot find function");
      },
      agentOf: () => Promise.resolve(ranOn),
    });
  }

  /** An agent that has something of the function. */
  having(name: string, site = "plant"): void {
    this.fleet.ready(name, { site, heartbeat: { revisions: [shareIn(revision)] } });
  }

  read(query: Partial<LogQuery> = {}, signal: AbortSignal = new AbortController().signal, tenantId = acme): AsyncGenerator<LogLine> {
    return this.logs.lines(tenantId, { functionName: "resize", tail: 100, follow: false, ...query }, signal);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#told.push(resolve));
  }

  #ask({ agentId, siteId }: AgentAddress, question: Ask, { onLine, signal }: AskOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      signal?.addEventListener("abort", () => reject(new LongshoreError("caller_gone", "nobody waits")), { once: true });
      this.asks.push({
        agentId,
        question,
        line: (at, line) => onLine?.({ at: new Date(at).toISOString(), siteId, agentId, instanceId: "i", functionName: "resize", revisionId: "resize-r1", stream: "stdout", line }),
        end: () => resolve(undefined),
        fail: reject,
      });
      for (const tell of this.#told.splice(0)) tell();
    });
  }
}

async function textsOf(lines: AsyncGenerator<LogLine>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { line } of lines) texts.push(line);
  return texts;
}

describe("the log of a function", () => {
  it("is merged from the agents that have it, in order of time, and cut to the last lines", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2");
    rig.fleet.ready("without");
    const texts = textsOf(rig.read({ tail: 3 }));
    await rig.until(() => rig.asks.length === 2);
    expect(rig.asks.map(({ agentId, question }) => [agentId, question])).toEqual(
      ["a1", "a2"].map((name) => [name, { ask: "logs", tenantId: "acme", functionName: "resize", tail: 3, follow: false }]),
    );
    const [one, other] = rig.asks as [OpenAsk, OpenAsk];
    for (const [at, text] of [[1, "1"], [3, "3"]] as const) void one.line(at, text);
    for (const [at, text] of [[2, "2"], [4, "4"]] as const) void other.line(at, text);
    one.end();
    other.end();
    expect(await texts).toEqual(["2", "3", "4"]);
  });

  it("says in a line what an agent could not give", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2");
    const texts = textsOf(rig.read());
    await rig.until(() => rig.asks.length === 2);
    void rig.asks[0]?.line(1, "one");
    rig.asks[0]?.end();
    rig.asks[1]?.fail(new LongshoreError("agent_lost", 'Cannot ask agent "a2": it is not connected'));
    expect(await texts).toEqual(["one", 'Cannot ask agent "a2": it is not connected']);
  });

  it("of no lines asks for none", async () => {
    const rig = new Rig();
    rig.having("a1");
    const texts = textsOf(rig.read({ tail: 0 }));
    await rig.until(() => rig.asks.length === 1);
    rig.asks[0]?.end();
    expect(await texts).toEqual([]);
  });

  it("is another tenant's to nobody, and asks no site that the tenant may not use", async () => {
    const rig = new Rig();
    rig.having("a1");
    await expect(textsOf(rig.read({}, undefined, "other" as TenantId))).rejects.toMatchObject({ reason: "function_not_found" });
    rig.fleet.joined.setSite({ siteId: "plant", regions: [], tenants: ["other"] });
    expect(await textsOf(rig.read())).toEqual([]);
    expect(rig.asks).toEqual([]);
  });

  it("of one invocation is asked of the agent it ran on", async () => {
    const rig = new Rig("a2");
    rig.having("a1");
    rig.having("a2");
    const texts = textsOf(rig.read({ functionName: undefined, invocationId: "some-id" }));
    await rig.until(() => rig.asks.length === 1);
    expect(rig.asks[0]).toMatchObject({ agentId: "a2", question: { invocationId: "some-id" } });
    rig.asks[0]?.end();
    expect(await texts).toEqual([]);
  });
});

describe("a log that is followed", () => {
  it("goes on until it is aborted, and hears of agents that come later", async () => {
    const rig = new Rig();
    rig.having("a1");
    const aborting = new AbortController();
    const lines = rig.read({ follow: true }, aborting.signal);
    const first = lines.next();
    await rig.until(() => rig.asks.length === 1);
    void rig.asks[0]?.line(1, "one");
    expect((await first).value).toMatchObject({ line: "one" });
    rig.having("a2");
    const second = lines.next();
    rig.fleet.clock.advance(2_000);
    await rig.until(() => rig.asks.length === 2);
    void rig.asks[1]?.line(2, "two");
    expect((await second).value).toMatchObject({ line: "two" });
    const rest = lines.next();
    aborting.abort();
    expect((await rest).done).toBe(true);
  });

  it("leaves no timer and no ask behind, whoever ends it", async () => {
    const rig = new Rig();
    rig.having("a1");
    const before = rig.fleet.clock.pending;
    const lines = rig.read({ follow: true });
    const first = lines.next();
    await rig.until(() => rig.asks.length === 1);
    void rig.asks[0]?.line(1, "one");
    await first;
    await lines.return(undefined);
    expect(rig.fleet.clock.pending).toBe(before);
  });

  it("is over at once when nobody waits any more as it begins", async () => {
    const rig = new Rig();
    rig.having("a1");
    expect(await textsOf(rig.read({ follow: true }, AbortSignal.abort()))).toEqual([]);
    expect(rig.asks).toEqual([]);
  });

  it("tells the error that keeps it from going on", async () => {
    const rig = new Rig();
    await expect(textsOf(rig.read({ follow: true, functionName: "unknown" }))).rejects.toMatchObject({ reason: "function_not_found" });
  });
});
