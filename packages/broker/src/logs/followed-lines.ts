import { type LogAnswerLine, type LogLine, LongshoreError, maxTailLines, type TenantId } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";
import { type AgentLines, type AgentQuestion, notAsked } from "./agent-lines.ts";
import { LastLines } from "./last-lines.ts";
import { LineQueue } from "./line-queue.ts";
import type { LogQuery } from "./log-query.ts";
import type { LogSources } from "./log-sources.ts";

export interface FollowOptions {
  readonly sources: LogSources;
  readonly agentLines: AgentLines;
  readonly clock: Clock;
}

/** Who follows hears of agents that begin to run the function within that time. */
const lookAgainMs = 2_000;
/** For so long the lines that were there are waited for, so as to give them in order. */
const openingMs = 3_000;
/** After an invocation's end its last lines have that long to come. */
const lastWordsMs = 1_000;

/**
 * Lines of a function or an invocation as they are written, until aborted or until the invocation is over.
 *
 * Invariants: F1 what is held is bounded: the last lines while it opens, then a short queue in front of which agents wait; they hold
 * nothing either, and say what was missed. F2 an agent is asked once at a time; one that was lost is asked again for what came after
 * its last line. F3 when the reading ends, every ask and timer ends.
 */
export class FollowedLines implements AsyncIterable<LogLine> {
  readonly #options: FollowOptions;
  readonly #tenantId: TenantId;
  readonly #query: LogQuery;
  readonly #signal: AbortSignal;
  readonly #queue = new LineQueue();
  readonly #followed = new Map<AgentEntry, AbortController>();
  readonly #lastAt = new Map<AgentEntry, string>();
  /** Agents whose failure was told, and that have brought nothing since. */
  readonly #failing = new Set<AgentEntry>();
  readonly #gathered: LastLines;
  /** Agents whose lines from before are awaited. */
  readonly #opening = new Set<AgentEntry>();
  readonly #opened = Promise.withResolvers<void>();
  readonly #beganMs: number;
  readonly #cancels = new Set<() => void>();

  constructor(options: FollowOptions, tenantId: TenantId, query: LogQuery, signal: AbortSignal) {
    this.#options = options;
    this.#tenantId = tenantId;
    this.#query = query;
    this.#signal = signal;
    this.#gathered = new LastLines(query.tail);
    this.#beganMs = options.clock.nowMs();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LogLine> {
    if (this.#signal.aborted) return; // It will not say so again.
    this.#signal.addEventListener("abort", this.#end, { once: true });
    this.#after(openingMs, () => this.#endOpening());
    try {
      await this.#look(true);
      if (this.#opening.size === 0) this.#endOpening();
      this.#lookLater();
      await this.#opened.promise;
      yield* this.#gathered.lines();
      yield* this.#queue;
    } finally {
      this.#signal.removeEventListener("abort", this.#end);
      this.#end(); // F3
    }
  }

  readonly #end = (): void => {
    for (const cancel of this.#cancels) cancel();
    this.#cancels.clear();
    this.#queue.end();
    this.#endOpening();
    for (const abort of this.#followed.values()) abort.abort();
  };

  async #look(isFirst: boolean): Promise<void> {
    for (const [agent, abort] of this.#followed) {
      if (agent.standing !== "lost") continue;
      abort.abort();
      this.#tellOnce(agent, new LongshoreError("agent_lost", `Cannot go on reading logs of agent "${agent.address.agentId}": it is not heard any more`));
    }
    const { sources, agentLines } = this.#options;
    const subject = await sources.subject(this.#tenantId, this.#query);
    if (this.#queue.isEnded) return;
    const { likely, others, left } = sources.agents(this.#tenantId, subject, this.#query);
    // An agent that comes to run the function only now has no line of it from before.
    const asked = isFirst && this.#query.tail > 0 ? [...likely, ...others] : likely;
    for (const agent of asked) if (!this.#followed.has(agent)) void this.#ask(agent, isFirst, likely.includes(agent));
    if (isFirst && left > 0) void this.#queue.push(agentLines.remark(subject, notAsked(left)));
    if (subject.isOver) this.#after(lastWordsMs, () => this.#queue.end());
  }

  #lookLater(): void {
    if (this.#queue.isEnded) return;
    this.#after(lookAgainMs, () => {
      this.#look(false).then(
        () => this.#lookLater(),
        (error: unknown) => this.#queue.fail(error),
      );
    });
  }

  async #ask(agent: AgentEntry, isFirst: boolean, follow: boolean): Promise<void> {
    const abort = new AbortController();
    this.#followed.set(agent, abort);
    if (isFirst) this.#opening.add(agent);
    try {
      await this.#options.agentLines.ask(agent, this.#tenantId, this.#query, this.#question(agent, isFirst, follow), abort.signal, (line) => this.#take(agent, line));
    } catch (error) {
      this.#tellOnce(agent, error);
    } finally {
      this.#followed.delete(agent);
      this.#caughtUp(agent);
    }
  }

  #question(agent: AgentEntry, isFirst: boolean, follow: boolean): AgentQuestion {
    const { tail, sinceMs } = this.#query;
    if (isFirst) return { tail, sinceMs, follow };
    const elapsedMs = this.#options.clock.nowMs() - this.#beganMs;
    return { tail: maxTailLines, sinceMs: Math.min(sinceMs ?? Number.POSITIVE_INFINITY, elapsedMs), after: this.#lastAt.get(agent), follow }; // F2
  }

  #take(agent: AgentEntry, line: LogAnswerLine): void | Promise<void> {
    this.#failing.delete(agent);
    if ("caughtUp" in line) return this.#caughtUp(agent);
    this.#lastAt.set(agent, line.at);
    if (!this.#opening.has(agent)) return this.#queue.push(line); // F1
    this.#gathered.add(line);
  }

  #tellOnce(agent: AgentEntry, error: unknown): void {
    if (!this.#failing.has(agent)) void this.#queue.push(this.#options.agentLines.apology(agent, this.#query.functionName, error));
    this.#failing.add(agent);
  }

  #caughtUp(agent: AgentEntry): void {
    if (this.#opening.delete(agent) && this.#opening.size === 0) this.#endOpening();
  }

  #endOpening(): void {
    this.#opening.clear();
    this.#opened.resolve();
  }

  #after(delayMs: number, callback: () => void): void {
    const cancel = this.#options.clock.after(delayMs, () => {
      this.#cancels.delete(cancel);
      callback();
    });
    this.#cancels.add(cancel);
  }
}
