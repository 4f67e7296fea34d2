import { type Ask, type LogAnswerLine, logAnswerLineSchema, LongshoreError, type LogLine, type TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import { isAskedFor, type LogQuery } from "./log-query.ts";

/** An agent that says nothing for that long has no more lines. */
const silenceMs = 10_000;

/** What one agent is asked beside the query itself. */
export interface AgentQuestion {
  readonly tail: number;
  readonly follow: boolean;
  readonly sinceMs?: number | undefined;
  readonly after?: string | undefined;
}

/** Takes what an agent brings; by a promise it makes the agent wait. */
export type TakeLine = (line: LogAnswerLine) => void | Promise<void>;

/** Asks agents for lines. */
export class AgentLines {
  readonly #asker: Asker;
  readonly #clock: Clock;

  constructor(asker: Asker, clock: Clock) {
    this.#asker = asker;
    this.#clock = clock;
  }

  /** Resolves when the agent has no more lines, or `signal` is aborted. Rejects with the agent's error, `agent_lost` or `bus_down`. */
  async ask(agent: AgentEntry, tenantId: TenantId, query: LogQuery, { tail, follow, ...rest }: AgentQuestion, signal: AbortSignal, take: TakeLine): Promise<void> {
    const { functionName, invocationId, instanceId, stream } = query;
    const given = Object.entries({ functionName, invocationId, instanceId, stream, ...rest }).filter(([, value]) => value !== undefined);
    const question: Ask = { ask: "logs", tenantId, tail, follow, ...(follow && { marks: true }), ...Object.fromEntries(given) };
    try {
      await this.#asker.ask(agent.address, question, {
        silenceMs: follow ? Number.POSITIVE_INFINITY : silenceMs,
        signal,
        onLine: (value) => {
          const line = logAnswerLineSchema.parse(value);
          return "caughtUp" in line || isAskedFor(query, line) ? take(line) : undefined;
        },
      });
    } catch (error) {
      if (!signal.aborted) throw error; // Nobody waits for it.
    }
  }

  /** A line that says what an agent could not give. */
  apology(agent: AgentEntry, functionName: string | undefined, error: unknown): LogLine {
    const { message } = LongshoreError.from(error, "Cannot read logs");
    return this.remark({ siteId: agent.address.siteId, agentId: agent.address.agentId, functionName }, message);
  }

  /** A line of the broker's own. */
  remark({ siteId, agentId, functionName }: { siteId?: string | undefined; agentId?: string | undefined; functionName?: string | undefined }, line: string): LogLine {
    return { at: this.#clock.date().toISOString(), siteId: siteId ?? "", agentId: agentId ?? "", instanceId: "", functionName: functionName ?? "", revisionId: "", stream: "system", line };
  }
}

/** What is said where a fleet has more agents than are asked. */
export function notAsked(count: number): string {
  return `${count} more agents were not asked: name a site or an agent`;
}
