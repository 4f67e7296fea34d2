import type { LogLine, Revision } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { followLines } from "./follow.ts";
import { LineSplitter } from "./line-splitter.ts";
import { LogRing } from "./log-ring.ts";

/** What instances wrote, kept in memory: for a while after they are gone, within bounds, never on disk. */
export interface LogStore {
  /** Where the output of one instance goes. */
  writer(instance: { readonly instanceId: string; readonly revision: Revision }): LogWriter;
  /** Lines of a tenant's functions, oldest first: the last `tail` of them, then with `follow` further ones until `signal` is aborted. */
  read(query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
}

export interface LogQuery {
  readonly tenantId: string;
  readonly functionName?: string | undefined;
  readonly invocationId?: string | undefined;
  readonly tail: number;
  readonly follow: boolean;
}

/** Takes the output of one instance apart into lines. */
export interface LogWriter {
  write(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** A line of the agent's own about the instance. */
  system(line: string): void;
  /** Lines from now on belong to this invocation: the instance serves no other. */
  belongsTo(invocationId: string): void;
  /** The output is over. */
  end(): void;
}

export interface LogStoreOptions {
  readonly siteId: string;
  readonly agentId: string;
  readonly clock: Clock;
  /** Kept of one function. */
  readonly maxBytesPerFunction?: number;
  /** Beyond this many functions, the one that wrote longest ago is forgotten. */
  readonly maxFunctions?: number;
}

const defaultMaxBytesPerFunction = 2 * 2 ** 20;
const defaultMaxFunctions = 256;

/** Makes an empty store. */
export function createLogStore(options: LogStoreOptions): LogStore {
  const rings = new RingShelf(options.maxFunctions ?? defaultMaxFunctions, options.maxBytesPerFunction ?? defaultMaxBytesPerFunction);

  return {
    writer({ instanceId, revision }) {
      const { functionName, revisionId, tenantId } = revision;
      let invocationId: string | undefined;
      const append = (stream: LogLine["stream"], line: string) => {
        const at = new Date(options.clock.wallMs()).toISOString();
        const origin = { at, siteId: options.siteId, agentId: options.agentId, instanceId, functionName, revisionId };
        rings.of(tenantId, functionName).append({ ...origin, ...(invocationId !== undefined && { invocationId }), stream, line });
      };
      const splitters = { stdout: new LineSplitter((line) => append("stdout", line)), stderr: new LineSplitter((line) => append("stderr", line)) };
      return {
        write: (stream, bytes) => splitters[stream].push(bytes),
        system: (line) => append("system", line),
        belongsTo: (id) => {
          invocationId = id;
        },
        end: () => {
          splitters.stdout.end();
          splitters.stderr.end();
        },
      };
    },

    read(query, signal) {
      const wanted = (line: LogLine) => query.invocationId === undefined || line.invocationId === query.invocationId;
      const chosen = rings.choose(query);
      return followLines(() => lastLines(chosen, query.tail, wanted), query.follow ? chosen : [], wanted, signal);
    },
  };
}

/** The last lines of several rings together, by time. */
function lastLines(rings: readonly LogRing[], count: number, wanted: (line: LogLine) => boolean): LogLine[] {
  if (count === 0) return [];
  const lines = rings.flatMap((ring) => ring.tail(count, wanted));
  if (rings.length > 1) lines.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  return lines.slice(-count);
}

/** The rings of all functions, the one that was used last at the end. */
class RingShelf {
  readonly #rings = new Map<string, LogRing>();
  readonly #maxFunctions: number;
  readonly #maxBytes: number;

  constructor(maxFunctions: number, maxBytes: number) {
    this.#maxFunctions = maxFunctions;
    this.#maxBytes = maxBytes;
  }

  of(tenantId: string, functionName: string): LogRing {
    const key = `${tenantId}/${functionName}`;
    const ring = this.#rings.get(key) ?? new LogRing(this.#maxBytes);
    this.#rings.delete(key);
    this.#rings.set(key, ring);
    if (this.#rings.size > this.#maxFunctions) this.#forgetOldest();
    return ring;
  }

  /** Those that a query reads; one is made only for a follower of a function that has written nothing yet. */
  choose({ tenantId, functionName, follow }: LogQuery): LogRing[] {
    if (functionName === undefined) return [...this.#rings].filter(([key]) => key.startsWith(`${tenantId}/`)).map(([, ring]) => ring);
    const ring = this.#rings.get(`${tenantId}/${functionName}`);
    if (ring !== undefined) return [ring];
    return follow ? [this.of(tenantId, functionName)] : [];
  }

  #forgetOldest(): void {
    for (const [key, ring] of this.#rings) {
      if (ring.isFollowed) continue;
      this.#rings.delete(key);
      return;
    }
  }
}
