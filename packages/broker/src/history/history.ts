import { type FunctionName, type History as HistoryAnswer, type HistoryQuery, historySteps, type TenantId } from "@longshore/protocol";
import type { Logger } from "pino";
import type { HistoryStore } from "../bus/history-store.ts";
import type { Clock } from "../clock.ts";
import { HistoryBook } from "./history-book.ts";
import { type Ended, StepCounter, type Tallies, tallyKey } from "./step-counter.ts";
import { readSummary, summaryDocument } from "./summary.ts";
import { pointOf } from "./tally.ts";

export interface HistoryOptions {
  readonly brokerId: string;
  readonly store: HistoryStore;
  readonly clock: Clock;
  readonly hasFunction: (tenantId: TenantId, functionName: FunctionName) => boolean;
  readonly log: Logger;
}

const [finest] = historySteps;
/** How long close waits for the last summaries to be stored. */
const closeWithinMs = 1_000;

/**
 * What became of invocations over time. Each broker counts what ends at it, writes a summary of each step that is over, and follows the others'
 * summaries, so that any of them answers for all. A broker that is killed takes what it counted in its last ten seconds along.
 */
export class History {
  readonly #options: HistoryOptions;
  readonly #book = new HistoryBook();
  readonly #counter: StepCounter;
  /** The step that is being counted. */
  #atMs: number;
  #unreadable = 0;
  #stopTimer = () => undefined as unknown;
  #follow: { close(): void } | undefined;

  constructor(options: HistoryOptions) {
    this.#options = options;
    this.#counter = new StepCounter((tenantId, functionName) => options.hasFunction(tenantId as TenantId, functionName as FunctionName));
    this.#atMs = stepAt(options.clock.date().getTime());
  }

  /** For /metrics. */
  get load(): { readonly points: number; readonly leftOut: number; readonly unreadable: number } {
    return { points: this.#book.points, leftOut: this.#counter.leftOut, unreadable: this.#unreadable };
  }

  /** Begins to follow; what stands is taken in while calls are taken. */
  start(): void {
    const { store, clock, log } = this.#options;
    this.#atMs = stepAt(clock.date().getTime());
    this.#follow = store.follow((name, document) => {
      const summary = readSummary(name, document);
      if (summary !== undefined) this.#book.take(summary, this.#nowMs);
      else if ((this.#unreadable += 1) === 1) log.warn({ ...name }, "summary of what ended cannot be read: another version wrote it");
    });
    this.#waitForStep();
  }

  /** Counts one that ended; with its duration where its caller waited for it. */
  ended(tenantId: TenantId, record: Ended, durationMs?: number): void {
    this.#counter.ended(tenantId, record, durationMs);
  }

  /** The history of a tenant, at the finest steps that reach so far back; the step under way is not in it. */
  read(tenantId: TenantId, { function: functionName, lastMs }: HistoryQuery): HistoryAnswer {
    const { stepMs } = historySteps.find(({ keptMs }) => keptMs >= lastMs) ?? finest;
    const untilMs = this.#atMs;
    const fromMs = Math.floor((this.#nowMs - lastMs) / stepMs) * stepMs;
    const prefix = tallyKey(tenantId, functionName ?? "");
    const isWanted = functionName === undefined ? (key: string) => key.startsWith(prefix) : (key: string) => key === prefix;
    const byName = new Map<string, HistoryAnswer["functions"][number]>();
    for (const [atMs, tallies] of this.#book.read(stepMs, fromMs, untilMs, isWanted)) {
      for (const [key, tally] of tallies) {
        const name = key.slice(tenantId.length + 1);
        const known = byName.get(name) ?? { name, points: [] };
        byName.set(name, known);
        known.points.push(pointOf(atMs, tally));
      }
    }
    return { fromMs, untilMs, stepMs, functions: [...byName.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
  }

  /** Writes what it has counted; waits for that a moment at most. Idempotent. */
  async close(): Promise<void> {
    this.#stopTimer();
    if (this.#follow === undefined) return;
    this.#follow.close();
    this.#follow = undefined;
    const { promise: tooLong, resolve } = Promise.withResolvers<void>();
    const stop = this.#options.clock.after(closeWithinMs, resolve);
    await Promise.race([Promise.all(historySteps.map(({ stepMs }) => this.#write(stepMs, Math.floor(this.#atMs / stepMs) * stepMs))), tooLong]);
    stop();
  }

  get #nowMs(): number {
    return this.#options.clock.date().getTime();
  }

  #waitForStep(): void {
    this.#stopTimer = this.#options.clock.after(Math.max(1, this.#atMs + finest.stepMs - this.#nowMs), () => {
      this.#passOn();
      this.#waitForStep();
    });
  }

  /** Ends the step, and each longer one that ends with it. A clock that was set back makes the step the longer: steps only go on. */
  #passOn(): void {
    const [before, now] = [this.#atMs, stepAt(this.#nowMs)];
    if (now <= before) return;
    for (const { stepMs } of historySteps) {
      const atMs = Math.floor(before / stepMs) * stepMs;
      if (Math.floor(now / stepMs) * stepMs > atMs) void this.#write(stepMs, atMs);
    }
    this.#atMs = now;
    this.#book.forget(this.#nowMs);
  }

  /** What was counted is in the book at once: this broker answers with it whether or not the bus is there. */
  #write(stepMs: number, atMs: number): Promise<void> {
    const { brokerId, store } = this.#options;
    const tallies: Tallies = stepMs === finest.stepMs ? this.#counter.empty() : this.#book.partOf(brokerId, stepMs, atMs);
    if (tallies.size === 0) return Promise.resolve();
    this.#book.take({ brokerId, stepMs, atMs, tallies }, this.#nowMs);
    const keptMs = historySteps.find((each) => each.stepMs === stepMs)?.keptMs ?? 0;
    return store.write({ brokerId, stepMs, atMs }, keptMs + stepMs, summaryDocument(tallies));
  }
}

const stepAt = (nowMs: number) => Math.floor(nowMs / finest.stepMs) * finest.stepMs;
