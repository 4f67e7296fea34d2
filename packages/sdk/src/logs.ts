import { decodeJson, type LogFilter, type LogLine, logLineSchema, maxTailLines } from "@longshore/protocol";
import { backoffMs } from "./backoff.ts";
import type { HttpClient } from "./http-client.ts";
import { mergeLines } from "./merge-lines.ts";
import { readDocument } from "./read-document.ts";
import type { SocketKeeper } from "./socket-keeper.ts";
import { linesOnSocket } from "./socket-lines.ts";
import { pause } from "./timer.ts";
import { mayPass } from "./watch.ts";

/** Which lines are read. */
export interface LogOptions {
  /** Go on with what is written from now on; of an invocation until it is over. */
  readonly follow?: boolean | undefined;
  /** At most that many lines from before, the last ones. Default 100, at most 10,000. */
  readonly tail?: number | undefined;
  /** Only lines that are no older. */
  readonly sinceMs?: number | undefined;
  readonly siteId?: string | undefined;
  readonly agentId?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly stream?: LogLine["stream"] | undefined;
  /** Ends the reading, which is then simply over. */
  readonly signal?: AbortSignal | undefined;
}

/** Whose lines they are. */
export type LogSubject = { readonly functionName: string } | { readonly invocationId: string };

/** Reads the lines of one subject; what is not told otherwise is as in {@link LogOptions}. */
export type ReadLogs = (subject: LogSubject, options: LogOptions) => AsyncGenerator<LogLine, void>;

/** Reads over HTTP: one request each. */
export function logsOverHttp(http: HttpClient): ReadLogs {
  return async function* (subject, { signal, ...options }) {
    const filter = filterOf(options);
    const whose = "functionName" in subject ? `functions/${encodeURIComponent(subject.functionName)}` : `invocations/${encodeURIComponent(subject.invocationId)}`;
    const path = `/v1/${whose}/logs?${new URLSearchParams(Object.entries(filter).map(([name, value]) => [name, String(value)])).toString()}`;
    try {
      for await (const line of http.lines({ method: "GET", path, signal })) yield readDocument(logLineSchema, line, path);
    } catch (error) {
      if (signal?.aborted !== true) throw error;
    }
  };
}

/** What may have been written while a connection was broken is asked for with that much to spare: clocks and deliveries differ. */
const overlapMs = 10_000;

/**
 * Reads over the fleet's WebSocket, no faster than the lines are taken. A reading that follows and whose connection breaks goes on over
 * the next one, with what was written meanwhile.
 */
export function logsOverSocket(keeper: SocketKeeper, connectTimeoutMs: number): ReadLogs {
  return async function* (subject, { signal, ...options }) {
    const filter = filterOf(options);
    /** The latest line of each agent. */
    const lastAt = new Map<string, string>();
    let readUntilMs: number | undefined;
    for (let failures = 0; ; ) {
      try {
        if (signal?.aborted === true) return;
        const link = keeper.current ?? (await keeper.link(connectTimeoutMs, signal));
        const question = { what: "logs", ...subject, ...filter, ...(readUntilMs !== undefined && { tail: maxTailLines, sinceMs: Math.round(performance.now() - readUntilMs + overlapMs) }) } as const;
        const isAgain = readUntilMs !== undefined;
        const seen = new Map(lastAt);
        for await (const bytes of linesOnSocket(link, question, signal, () => (readUntilMs ??= performance.now()))) {
          const line = readDocument(logLineSchema, decodeJson(bytes), "logs");
          failures = 0;
          readUntilMs = performance.now();
          const before = seen.get(line.agentId);
          if (isAgain && before !== undefined && line.at <= before) continue; // It was read before the connection broke.
          lastAt.set(line.agentId, line.at);
          yield line;
        }
        return;
      } catch (error) {
        if (signal?.aborted === true) return;
        if (keeper.isClosed || readUntilMs === undefined || !filter.follow || !mayPass(error)) throw error;
        failures += 1;
        await pause(backoffMs(failures), signal);
      }
    }
  };
}

/** Lines of several functions together: by time, then as they come. */
export async function* logsOfFunctions(read: ReadLogs, functionNames: readonly string[], options: LogOptions): AsyncGenerator<LogLine, void> {
  const [only] = functionNames;
  if (only !== undefined && functionNames.length === 1) return yield* read({ functionName: only }, options);
  const leaving = new AbortController();
  const signal = options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
  const sources = [...new Set(functionNames)].map((functionName) => read({ functionName }, { ...options, signal }));
  try {
    if (options.follow === true) return yield* mergeLines(sources);
    const all: LogLine[] = [];
    for await (const line of mergeLines(sources)) all.push(line);
    all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
    yield* all.slice(Math.max(0, all.length - (options.tail ?? 100)));
  } finally {
    leaving.abort();
  }
}

function filterOf({ follow = false, tail = 100, ...rest }: Omit<LogOptions, "signal">): LogFilter {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as Partial<LogFilter>;
  return { follow, tail, ...given };
}
