import { type InvocationView, LongshoreError, type Revision, type TenantId } from "@longshore/protocol";
import type { AgentEntry } from "../roster/agent-entry.ts";
import type { Roster } from "../roster/roster.ts";
import type { LogQuery } from "./log-query.ts";

export interface LogSourcesOptions {
  readonly roster: Roster;
  /** A function's revisions; undefined when it is not known. */
  readonly revisions: (tenantId: TenantId, functionName: string) => readonly Revision[] | undefined;
  /** Rejects with `invocation_not_found`. */
  readonly view: (tenantId: TenantId, invocationId: string) => Promise<InvocationView>;
}

/** What is known of what a query is about. */
export interface LogSubject {
  /** A function or invocation of that name is known now; lines of others may still be kept. */
  readonly isKnown: boolean;
  /** It writes nothing more. */
  readonly isOver: boolean;
  readonly functionName: string | undefined;
  /** Where it ran, if only there. */
  readonly agentId: string | undefined;
}

/** Agents that may keep lines. */
export interface Sources {
  /** They have something of the function now. */
  readonly likely: readonly AgentEntry[];
  /** They may have had it. */
  readonly others: readonly AgentEntry[];
  /** So many more are in reach, and too many to ask. */
  readonly left: number;
}

/** So many agents are asked at most. */
const maxAsked = 500;

/** Knows which agents may have the lines that a query is about. */
export class LogSources {
  readonly #options: LogSourcesOptions;

  constructor(options: LogSourcesOptions) {
    this.#options = options;
  }

  async subject(tenantId: TenantId, { functionName, invocationId }: LogQuery): Promise<LogSubject> {
    if (invocationId === undefined) return { isKnown: functionName !== undefined && this.#options.revisions(tenantId, functionName) !== undefined, isOver: false, functionName, agentId: undefined };
    try {
      const view = await this.#options.view(tenantId, invocationId);
      if (view.state === "finished") return { isKnown: true, isOver: true, functionName: view.record.functionName, agentId: view.record.attempt === 1 ? view.record.agentId : undefined };
      return { isKnown: true, isOver: false, functionName: view.functionName, agentId: undefined };
    } catch (error) {
      if (error instanceof LongshoreError && error.reason === "invocation_not_found") return { isKnown: false, isOver: true, functionName: undefined, agentId: undefined };
      throw error;
    }
  }

  /** Agents of sites that the tenant may use, and that the query does not leave out. */
  agents(tenantId: TenantId, subject: LogSubject, query: LogQuery): Sources {
    const { roster, revisions } = this.#options;
    const agentId = subject.agentId ?? query.agentId;
    const isInReach = (agent: AgentEntry) =>
      agent.joined !== undefined &&
      roster.isHeard(agent) &&
      agent.site?.tenants?.includes(tenantId) !== false &&
      (agentId === undefined || agent.address.agentId === agentId) &&
      (query.agentId === undefined || agent.address.agentId === query.agentId) &&
      (query.siteId === undefined || agent.address.siteId === query.siteId);
    const inReach = [...roster.agents()].filter(isInReach);
    const digests = (subject.functionName === undefined ? undefined : revisions(tenantId, subject.functionName))?.map(({ digest }) => digest) ?? [];
    const isLikely = ({ shares }: AgentEntry) => subject.agentId !== undefined || digests.some((digest) => shares.get(digest)?.capacity !== undefined);
    const likely = inReach.filter(isLikely).slice(0, maxAsked);
    const others = inReach.filter((agent) => !isLikely(agent)).slice(0, maxAsked - likely.length);
    return { likely, others, left: inReach.length - likely.length - others.length };
  }
}
