import type { Ask, LogAnswerLine, LogLine, Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { FloodBudget } from "./flood-gate.ts";
import { type LogLimits, LogShelf } from "./log-shelf.ts";
import { createLogWriter, type LogWriter } from "./log-writer.ts";
import { readLines } from "./read-lines.ts";

export type { LogWriter } from "./log-writer.ts";

/** What instances wrote, kept in memory: for a while after they are gone, within bounds, never on disk. */
export interface LogStore {
  /** Where the output of one instance goes. */
  writer(instance: { readonly instanceId: string; readonly revision: Revision }): LogWriter;
  /** Lines of a tenant's functions, oldest first: the last `tail` of them, then with `follow` further ones until `signal` is aborted. */
  read(query: LogQuery, signal: AbortSignal): AsyncIterable<LogAnswerLine>;
  /** Lets go of its timer. Idempotent. */
  close(): void;
}

export type LogQuery = Omit<Extract<Ask, { ask: "logs" }>, "ask">;

export interface LogStoreOptions {
  readonly siteId: string;
  readonly agentId: string;
  readonly clock: Clock;
  readonly limits?: Partial<LogLimits>;
}

const mebibyte = 2 ** 20;
const defaultLimits: LogLimits = { maxBytes: 64 * mebibyte, maxBytesPerFunction: 2 * mebibyte, maxFunctions: 1024, retentionMs: 3_600_000 };

/** Makes an empty store. */
export function createLogStore({ siteId, agentId, clock, limits }: LogStoreOptions): LogStore {
  const shelf = new LogShelf({ ...defaultLimits, ...limits }, clock);
  const budget = new FloodBudget(clock);
  return {
    writer({ instanceId, revision: { functionName, revisionId, tenantId } }) {
      const origin = { siteId, agentId, instanceId, functionName, revisionId };
      return createLogWriter({ clock, budget, origin, append: (line) => shelf.append(tenantId, functionName, line) });
    },
    read({ tenantId, functionName, invocationId, tail, follow, marks = false, ...filter }, signal) {
      const follows = (tenant: string, name: string) => tenant === tenantId && (functionName === undefined || name === functionName);
      const notBefore = filter.sinceMs === undefined ? undefined : new Date(clock.wallMs() - filter.sinceMs).toISOString();
      const isFiltered = invocationId !== undefined || filter.instanceId !== undefined || filter.stream !== undefined;
      const isWanted = (line: LogLine) =>
        (invocationId === undefined || line.invocationId === invocationId) &&
        (filter.instanceId === undefined || line.instanceId === filter.instanceId) &&
        (filter.stream === undefined || line.stream === filter.stream) &&
        (notBefore === undefined || line.at >= notBefore) &&
        (filter.after === undefined || line.at > filter.after);
      return readLines(shelf, follows, { isWanted, isFiltered, invocationId, notBefore: filter.after ?? notBefore, tail, follow, marks }, signal);
    },
    close: () => shelf.close(),
  };
}
