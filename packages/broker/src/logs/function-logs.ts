import { LongshoreError, type LogLine, type TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { functionNotFound } from "../registry/registry.ts";
import type { Asker } from "../roster/ask-agent.ts";
import { AgentLines, notAsked } from "./agent-lines.ts";
import { FollowedLines } from "./followed-lines.ts";
import { LastLines } from "./last-lines.ts";
import type { LogQuery } from "./log-query.ts";
import { LogSources, type LogSourcesOptions, type LogSubject } from "./log-sources.ts";

export interface FunctionLogsOptions extends LogSourcesOptions {
  readonly asker: Asker;
  readonly clock: Clock;
}

/** Log lines of functions and invocations, gathered from the agents that keep them. */
export class FunctionLogs {
  readonly #sources: LogSources;
  readonly #agentLines: AgentLines;
  readonly #clock: Clock;

  constructor(options: FunctionLogsOptions) {
    this.#sources = new LogSources(options);
    this.#agentLines = new AgentLines(options.asker, options.clock);
    this.#clock = options.clock;
  }

  /**
   * The last lines in order of time; with `follow` then every further one as it comes, until aborted or the invocation is over. What
   * an agent cannot give is said in a line. A function that was removed, or an invocation without a record, still has the lines that
   * are kept of it; rejects with `function_not_found` or `invocation_not_found` where there are none.
   */
  async open(tenantId: TenantId, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<LogLine> | Iterable<LogLine>> {
    const subject = await this.#sources.subject(tenantId, query);
    if (query.follow && subject.isKnown && !subject.isOver) return new FollowedLines({ sources: this.#sources, agentLines: this.#agentLines, clock: this.#clock }, tenantId, query, signal);
    const lines = await this.#kept(tenantId, subject, query, signal);
    if (!subject.isKnown && lines.every(({ instanceId }) => instanceId === "")) throw notFound(query);
    return lines;
  }

  async #kept(tenantId: TenantId, subject: LogSubject, query: LogQuery, signal: AbortSignal): Promise<LogLine[]> {
    const { tail, sinceMs } = query;
    const { likely, others, left } = this.#sources.agents(tenantId, subject, query);
    const gathered = new LastLines(tail);
    const remarks: LogLine[] = [];
    const ask = async (agent: (typeof likely)[number]) => {
      try {
        await this.#agentLines.ask(agent, tenantId, query, { tail, sinceMs, follow: false }, signal, (line) => {
          if ("line" in line) gathered.add(line);
        });
      } catch (error) {
        remarks.push(this.#agentLines.apology(agent, query.functionName, error));
      }
    };
    if (tail > 0) await Promise.all([...likely, ...others].map(ask));
    if (left > 0) remarks.push(this.#agentLines.remark(query, notAsked(left)));
    if (subject.agentId !== undefined && likely.length === 0) remarks.push(this.#agentLines.remark({ ...query, agentId: subject.agentId }, `Agent "${subject.agentId}", where it ran, is not in reach`));
    return [...gathered.lines(), ...remarks];
  }
}

function notFound({ functionName, invocationId }: LogQuery): LongshoreError {
  if (invocationId === undefined) return functionNotFound(functionName ?? "");
  return new LongshoreError("invocation_not_found", "Cannot find invocation: no such id is known here", { phase: "admission", field: "id" });
}
