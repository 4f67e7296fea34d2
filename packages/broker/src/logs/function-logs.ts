import { LongshoreError, type LogLine, logLineSchema, type Revision, type TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import type { Roster } from "../roster/roster.ts";
import { LineQueue } from "./line-queue.ts";

export interface LogQuery {
  readonly functionName?: string | undefined;
  readonly invocationId?: string | undefined;
  readonly tail: number;
  readonly follow: boolean;
}

export interface FunctionLogsOptions {
  readonly roster: Roster;
  readonly asker: Asker;
  readonly clock: Clock;
  /** A function's revisions, none when it is not known. */
  readonly revisions: (tenantId: TenantId, functionName: string) => readonly Revision[];
  /** The agent that an invocation ran on, where that is known. */
  readonly agentOf: (tenantId: TenantId, invocationId: string) => Promise<string | undefined>;
}

/** An agent that says nothing for that long has no more lines. */
const silenceMs = 10_000;
/** Who follows hears of agents that begin to run the function within that time. */
const lookAgainMs = 2_000;
/** So many agents are asked when it is not known which one has the lines. */
const maxAsked = 500;

/** Log lines of functions and invocations, gathered from the agents that keep them. */
export class FunctionLogs {
  readonly #options: FunctionLogsOptions;

  constructor(options: FunctionLogsOptions) {
    this.#options = options;
  }

  /** The last lines in order of time; with `follow` then every further one as it comes, until aborted. What an agent cannot give is said in a line. */
  async *lines(tenantId: TenantId, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    if (query.follow) {
      yield* this.#follow(tenantId, query, signal);
      return;
    }
    const agents = await this.#agentsOf(tenantId, query);
    const found = await Promise.all(agents.map((agent) => this.#gather(agent, tenantId, query, signal)));
    const inOrder = found.flat().sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    yield* query.tail === 0 ? [] : inOrder.slice(-query.tail);
  }

  async #gather(agent: AgentEntry, tenantId: TenantId, query: LogQuery, signal: AbortSignal): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    await this.#ask(agent, tenantId, query, signal, (line) => void lines.push(line));
    return lines;
  }

  async *#follow(tenantId: TenantId, query: LogQuery, signal: AbortSignal): AsyncGenerator<LogLine> {
    if (signal.aborted) return; // It will not say so again.
    const queue = new LineQueue();
    const asked = new Map<AgentEntry, AbortController>();
    const look = async () => {
      for (const [agent, abort] of asked) if (agent.standing === "lost") abort.abort();
      for (const agent of await this.#agentsOf(tenantId, query)) if (!asked.has(agent) && !signal.aborted) this.#followOne(agent, tenantId, query, asked, queue);
    };
    const stop = () => {
      queue.end();
      for (const abort of asked.values()) abort.abort();
    };
    signal.addEventListener("abort", stop, { once: true });
    const endLooking = repeat(this.#options.clock, lookAgainMs, () => void look().catch((error: unknown) => queue.fail(error)));
    try {
      await look();
      yield* queue;
    } finally {
      endLooking();
      signal.removeEventListener("abort", stop);
      stop();
    }
  }

  #followOne(agent: AgentEntry, tenantId: TenantId, query: LogQuery, asked: Map<AgentEntry, AbortController>, queue: LineQueue): void {
    const abort = new AbortController();
    // An agent that joins in later is followed from its first line on.
    asked.set(agent, abort);
    void this.#ask(agent, tenantId, query, abort.signal, (line) => queue.push(line)).finally(() => asked.delete(agent));
  }

  async #ask(agent: AgentEntry, tenantId: TenantId, query: LogQuery, signal: AbortSignal, take: (line: LogLine) => void | Promise<void>): Promise<void> {
    const { functionName, invocationId, tail, follow } = query;
    const question = { ask: "logs", tenantId, tail, follow, ...(functionName !== undefined && { functionName }), ...(invocationId !== undefined && { invocationId }) } as const;
    try {
      await this.#options.asker.ask(agent.address, question, {
        silenceMs: follow ? Number.POSITIVE_INFINITY : silenceMs,
        signal,
        onLine: (line) => take(logLineSchema.parse(line)),
      });
    } catch (error) {
      if (!signal.aborted) await take(this.#apology(agent, functionName, error));
    }
  }

  #apology({ address }: AgentEntry, functionName: string | undefined, error: unknown): LogLine {
    const { message } = LongshoreError.from(error, "Cannot read logs");
    return { at: this.#options.clock.date().toISOString(), siteId: address.siteId, agentId: address.agentId, instanceId: "", functionName: functionName ?? "", revisionId: "", stream: "system", line: message };
  }

  async #agentsOf(tenantId: TenantId, { functionName, invocationId }: LogQuery): Promise<AgentEntry[]> {
    const { roster, revisions, agentOf } = this.#options;
    const inReach = [...roster.agents()].filter((agent) => agent.joined !== undefined && roster.isHeard(agent) && agent.site?.tenants?.includes(tenantId) !== false);
    if (functionName !== undefined) {
      const digests = revisions(tenantId, functionName).map(({ digest }) => digest);
      return inReach.filter(({ shares }) => digests.some((digest) => shares.get(digest)?.capacity !== undefined));
    }
    const agentId = invocationId === undefined ? undefined : await agentOf(tenantId, invocationId);
    return inReach.filter(({ address }) => agentId === undefined || address.agentId === agentId).slice(0, maxAsked);
  }
}

function repeat(clock: Clock, everyMs: number, action: () => void): () => void {
  let cancel = clock.after(everyMs, again);
  function again(): void {
    cancel = clock.after(everyMs, again);
    action();
  }
  return () => cancel();
}
