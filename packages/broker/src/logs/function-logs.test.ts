import { type AgentAddress, type Ask, type InvocationView, LongshoreError, type LogLine, type TenantId } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { testRevision } from "../registry/testing/revision.ts";
import type { AskOptions } from "../roster/ask-agent.ts";
import { shareIn, TestFleet } from "../roster/testing/test-fleet.ts";
import { FunctionLogs } from "./function-logs.ts";
import type { LogQuery } from "./log-query.ts";

const acme = "acme" as TenantId;
const revision = testRevision();

/** An ask that an agent answers when the test says so. */
interface OpenAsk {
  readonly agentId: string;
  readonly question: Ask;
  line(at: number, text: string, changes?: Partial<LogLine>): void | Promise<void>;
  caughtUp(): void;
  readonly signal: AbortSignal;
  end(): void;
  fail(error: Error): void;
}

class Rig {
  readonly fleet = new TestFleet();
  readonly asks: OpenAsk[] = [];
  readonly logs: FunctionLogs;
  readonly #told: (() => void)[] = [];

  /** What is known of the invocation, if anything is. */
  view: InvocationView | undefined;

  constructor() {
    this.logs = new FunctionLogs({
      roster: this.fleet.roster,
      asker: { ask: (agent, question, options) => this.#ask(agent, question, options) },
      clock: this.fleet.clock,
      revisions: (tenantId, functionName) => {
        return tenantId === revision.tenantId && functionName === revision.functionName ? [revision] : undefined;
      },
      view: () => (this.view === undefined ? Promise.reject(new LongshoreError("invocation_not_found", "Cannot find invocation")) : Promise.resolve(this.view)),
    });
  }

  /** An agent that has something of the function. */
  having(name: string, site = "plant"): void {
    this.fleet.ready(name, { site, heartbeat: { revisions: [shareIn(revision)] } });
  }

  async *read(query: Partial<LogQuery> = {}, signal: AbortSignal = new AbortController().signal, tenantId = acme): AsyncGenerator<LogLine> {
    yield* await this.logs.open(tenantId, { functionName: "resize", tail: 100, follow: false, ...query }, signal);
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
        line: (at, line, changes) => onLine?.({ at: new Date(at).toISOString(), siteId, agentId, instanceId: "i", functionName: "resize", revisionId: "resize-r1", stream: "stdout", line, ...changes }),
        caughtUp: () => void onLine?.({ caughtUp: true }),
        signal: signal ?? new AbortController().signal,
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

const finishedOn = (agentId: string, attempt = 1): InvocationView => ({ state: "finished", record: { functionName: "resize", agentId, attempt } }) as InvocationView;
const running: InvocationView = { state: "running", invocationId: "some-id", functionName: "resize", acceptedAt: "" };

describe("the log of a function", () => {
  it("is merged from every agent, those that have nothing of it any more too, in order of time, and cut to the last lines", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.fleet.ready("had-it-once");
    const texts = textsOf(rig.read({ tail: 3 }));
    await rig.until(() => rig.asks.length === 2);
    expect(rig.asks.map(({ agentId, question }) => [agentId, question])).toEqual(
      ["a1", "had-it-once"].map((name) => [name, { ask: "logs", tenantId: "acme", functionName: "resize", tail: 3, follow: false }]),
    );
    const [one, other] = rig.asks as [OpenAsk, OpenAsk];
    for (const [at, text] of [[1, "1"], [3, "3"]] as const) void one.line(at, text);
    for (const [at, text] of [[2, "2"], [4, "4"]] as const) void other.line(at, text);
    one.end();
    other.end();
    expect(await texts).toEqual(["2", "3", "4"]);
  });

  it("says in a line, beside those that were asked for, what an agent could not give", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2");
    const texts = textsOf(rig.read({ tail: 1 }));
    await rig.until(() => rig.asks.length === 2);
    void rig.asks[0]?.line(1, "one");
    rig.asks[0]?.end();
    rig.asks[1]?.fail(new LongshoreError("agent_lost", 'Cannot ask agent "a2": it is not connected'));
    expect(await texts).toEqual(["one", 'Cannot ask agent "a2": it is not connected']);
  });

  it("of no lines asks nobody", async () => {
    const rig = new Rig();
    rig.having("a1");
    expect(await textsOf(rig.read({ tail: 0 }))).toEqual([]);
    expect(rig.asks).toEqual([]);
  });

  it("asks the agents that the query names, and leaves out what an agent did not know to leave out", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2", "cloud");
    const texts = textsOf(rig.read({ siteId: "cloud", stream: "stderr", instanceId: "i", sinceMs: 5_000 }));
    await rig.until(() => rig.asks.length === 1);
    expect(rig.asks[0]).toMatchObject({ agentId: "a2", question: { stream: "stderr", instanceId: "i", sinceMs: 5_000 } });
    void rig.asks[0]?.line(1, "out");
    void rig.asks[0]?.line(2, "err", { stream: "stderr" });
    void rig.asks[0]?.line(3, "other", { stream: "stderr", instanceId: "other" });
    void rig.asks[0]?.line(4, "mark", { stream: "system", instanceId: "" });
    rig.asks[0]?.end();
    expect(await texts).toEqual(["err", "mark"]);
    expect(await textsOf(rig.read({ siteId: "cloud", agentId: "a1" }))).toEqual([]);
  });

  it("is another tenant's to nobody, and asks no site that the tenant may not use", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.fleet.joined.setSite({ siteId: "plant", regions: [], tenants: ["other"] });
    expect(await textsOf(rig.read())).toEqual([]);
    expect(rig.asks).toEqual([]);
  });

  it("is read after the function was removed; that there is none is said only where nobody has a line", async () => {
    const rig = new Rig();
    rig.having("a1");
    for (const follow of [false, true]) {
      rig.asks.length = 0;
      const removed = textsOf(rig.read({ functionName: "removed", follow }));
      await rig.until(() => rig.asks.length === 1);
      expect(rig.asks[0]?.question).toMatchObject({ functionName: "removed", follow: false });
      void rig.asks[0]?.line(1, "still here");
      rig.asks[0]?.end();
      expect(await removed).toEqual(["still here"]);
    }
    rig.asks.length = 0;
    const unknown = textsOf(rig.read({ functionName: "unknown", follow: true }));
    await rig.until(() => rig.asks.length === 1);
    rig.asks[0]?.fail(new LongshoreError("agent_lost", "gone"));
    await expect(unknown).rejects.toMatchObject({ reason: "function_not_found" });
  });
});

describe("the log of an invocation", () => {
  it("is asked of the agent it ran on, and of every agent once it was sent to several", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2");
    for (const [attempt, asked] of [[1, ["a2"]], [2, ["a1", "a2"]]] as const) {
      rig.asks.length = 0;
      rig.view = finishedOn("a2", attempt);
      const texts = textsOf(rig.read({ functionName: undefined, invocationId: "some-id" }));
      await rig.until(() => rig.asks.length === asked.length);
      expect(rig.asks.map(({ agentId }) => agentId)).toEqual(asked);
      expect(rig.asks[0]?.question).toMatchObject({ invocationId: "some-id" });
      for (const ask of rig.asks) ask.end();
      expect(await texts).toEqual([]);
    }
  });

  it("says that its agent is gone", async () => {
    const rig = new Rig();
    rig.view = finishedOn("gone");
    expect(await textsOf(rig.read({ functionName: undefined, invocationId: "some-id" }))).toEqual(['Agent "gone", where it ran, is not in reach']);
  });

  it("is there for longer than its record; without a line nothing is known of it", async () => {
    const rig = new Rig();
    rig.having("a1");
    for (const isKept of [true, false]) {
      rig.asks.length = 0;
      const texts = textsOf(rig.read({ functionName: undefined, invocationId: "some-id" }));
      texts.catch(() => undefined);
      await rig.until(() => rig.asks.length === 1);
      if (isKept) void rig.asks[0]?.line(1, "kept", { invocationId: "some-id" });
      rig.asks[0]?.end();
      if (isKept) expect(await texts).toEqual(["kept"]);
      else await expect(texts).rejects.toMatchObject({ reason: "invocation_not_found" });
    }
  });

  it("is followed until the invocation is over", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.view = running;
    const texts = textsOf(rig.read({ functionName: undefined, invocationId: "some-id", follow: true }));
    await rig.until(() => rig.asks.length === 1);
    expect(rig.asks[0]?.question).toMatchObject({ invocationId: "some-id", follow: true, marks: true });
    rig.asks[0]?.caughtUp();
    void rig.asks[0]?.line(1, "working", { invocationId: "some-id" });
    rig.view = finishedOn("a1");
    rig.fleet.clock.advance(2_000);
    await new Promise((resolve) => setImmediate(resolve));
    void rig.asks[0]?.line(2, "last words", { invocationId: "some-id" });
    rig.fleet.clock.advance(1_000);
    expect(await texts).toEqual(["working", "last words"]);
    expect(rig.asks[0]?.signal.aborted).toBe(true);
  });
});

describe("a log that is followed", () => {
  it("begins with the lines of all agents in order, goes on until it is aborted, and hears of agents that come later", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2");
    const aborting = new AbortController();
    const lines = rig.read({ follow: true, tail: 2 }, aborting.signal);
    const next = async () => (await lines.next()).value?.line as string | undefined;
    const first = next();
    await rig.until(() => rig.asks.length === 2);
    void rig.asks[0]?.line(1, "1");
    void rig.asks[0]?.line(3, "3");
    rig.asks[0]?.caughtUp();
    void rig.asks[0]?.line(5, "live");
    void rig.asks[1]?.line(2, "2");
    rig.asks[1]?.caughtUp();
    expect([await first, await next(), await next()]).toEqual(["2", "3", "live"]);
    rig.having("a3");
    const later = next();
    rig.fleet.clock.advance(2_000);
    await rig.until(() => rig.asks.length === 3);
    expect(rig.asks[2]?.question).toMatchObject({ tail: 10_000, sinceMs: 2_000 });
    void rig.asks[2]?.line(6, "from its first line on");
    expect(await later).toBe("from its first line on");
    const rest = next();
    aborting.abort();
    expect(await rest).toBeUndefined();
  });

  it("does not wait for ever for an agent that does not say what it has", async () => {
    const rig = new Rig();
    rig.having("a1");
    rig.having("a2");
    const lines = rig.read({ follow: true });
    const first = lines.next();
    await rig.until(() => rig.asks.length === 2);
    void rig.asks[0]?.line(1, "one");
    rig.asks[0]?.caughtUp();
    rig.fleet.clock.advance(3_000);
    expect((await first).value).toMatchObject({ line: "one" });
    await lines.return(undefined);
  });

  it("asks an agent again that was lost, for what came after its last line, and says so once", async () => {
    const rig = new Rig();
    rig.having("a1");
    const lines = rig.read({ follow: true });
    const next = async () => (await lines.next()).value?.line as string | undefined;
    const first = next();
    await rig.until(() => rig.asks.length === 1);
    void rig.asks[0]?.line(7, "before");
    rig.asks[0]?.caughtUp();
    expect(await first).toBe("before");
    rig.asks[0]?.fail(new LongshoreError("agent_lost", "it went away"));
    expect(await next()).toBe("it went away");
    const again = next();
    for (const count of [2, 3]) {
      rig.fleet.clock.advance(2_000);
      await rig.until(() => rig.asks.length === count);
      expect(rig.asks.at(-1)?.question).toMatchObject({ after: new Date(7).toISOString(), tail: 10_000 });
      if (count === 2) rig.asks.at(-1)?.fail(new LongshoreError("agent_lost", "it went away"));
      await new Promise((resolve) => setImmediate(resolve));
    }
    void rig.asks.at(-1)?.line(8, "after");
    expect(await again).toBe("after");
    await lines.return(undefined);
  });

  it("leaves no timer and no ask behind, whoever ends it", async () => {
    const rig = new Rig();
    rig.having("a1");
    const before = rig.fleet.clock.pending;
    const lines = rig.read({ follow: true });
    const first = lines.next();
    await rig.until(() => rig.asks.length === 1);
    void rig.asks[0]?.line(1, "one");
    rig.asks[0]?.caughtUp();
    await first;
    await lines.return(undefined);
    expect(rig.fleet.clock.pending).toBe(before);
    expect(rig.asks[0]?.signal.aborted).toBe(true);
  });

  it("is over at once when nobody waits any more as it begins", async () => {
    const rig = new Rig();
    rig.having("a1");
    expect(await textsOf(rig.read({ follow: true }, AbortSignal.abort()))).toEqual([]);
    expect(rig.asks).toEqual([]);
  });
});
