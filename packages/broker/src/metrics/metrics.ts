import { type DurabilityState, durabilityStates, type InvocationRecord, type Outcome, outcomes, type StartKind, startKinds } from "@longshore/protocol";
import { productVersion } from "../version.ts";
import type { SpanCounts } from "../traces/tracing.ts";
import { brokerMetrics as all } from "./definitions.ts";
import { type Definition, type Sample, writeFamily, writeHistogram } from "./family.ts";
import { Histogram } from "./histogram.ts";

/** What is read at the moment of a scrape. */
export interface Gauges {
  readonly isReady: boolean;
  readonly isConnected: boolean;
  readonly waiting: number;
  readonly running: number;
  /** Accepted and not ended, in the partitions that this broker tries; and of these, with agents by its sending. */
  readonly queued: number;
  readonly sent: number;
  readonly sockets: number;
  /** Agents by state. */
  readonly agents: ReadonlyMap<string, number>;
  /** Agents that pull no image because their disk is full. */
  readonly agentsShortOfDisk: number;
  readonly durability: DurabilityState;
  readonly busCounters: ReadonlyMap<string, number>;
  /** Undefined: traces are off. */
  readonly spans: SpanCounts | undefined;
  readonly history: { readonly points: number; readonly leftOut: number; readonly unreadable: number };
}

const statusClasses = ["1xx", "2xx", "3xx", "4xx", "5xx", "broken"] as const;

/** Counts what a broker does and writes what Prometheus reads. Label sets are bounded: outcomes, states, and names of our own events. */
export class Metrics {
  readonly #byOutcome = zeroes<Outcome>(outcomes);
  readonly #queueByOutcome = zeroes<Outcome>(outcomes);
  readonly #byStart = zeroes<StartKind>(startKinds);
  readonly #byStatus = zeroes<string>(statusClasses);
  readonly #histograms = { duration: new Histogram(), placement: new Histogram(), start: new Histogram(), run: new Histogram(), http: new Histogram(), exchange: new Histogram() };
  #attempts = 0;
  #deadLetters = 0;
  #unreadableRecords = 0;

  /** Counts one invocation that has ended; with its duration where its caller waited for it. */
  ended({ result, start, timings }: InvocationRecord, durationMs?: number): void {
    const { duration, placement, start: starting, run } = this.#histograms;
    add(this.#byOutcome, result.outcome);
    if (start !== undefined) add(this.#byStart, start);
    if (durationMs !== undefined) duration.observe(durationMs);
    if (timings.placementMs !== undefined) placement.observe(timings.placementMs);
    if (timings.startMs !== undefined) starting.observe(timings.startMs);
    if (timings.runMs !== undefined) run.observe(timings.runMs);
  }

  /** Counts, beside, an accepted one. */
  queueEnded({ result, past }: InvocationRecord, isDead: boolean): void {
    add(this.#queueByOutcome, result.outcome);
    this.#attempts += (past?.length ?? 0) + 1;
    if (isDead) this.#deadLetters += 1;
  }

  /** Counts an HTTP answer; undefined: its connection broke before its end. */
  answered(status: number | undefined, durationMs: number): void {
    add(this.#byStatus, status === undefined ? "broken" : `${Math.floor(status / 100)}xx`);
    this.#histograms.http.observe(durationMs);
  }

  /** Counts an invocation or a submission that came over a socket and has had its last frame. */
  exchanged(durationMs: number): void {
    this.#histograms.exchange.observe(durationMs);
  }

  /** Counts a terminal record that a listing left out. */
  unreadableRecord(): void {
    this.#unreadableRecords += 1;
  }

  /** The page in Prometheus' text format. */
  page(gauges: Gauges): string {
    const { duration, placement, start, run, http, exchange } = this.#histograms;
    const { user, system } = process.cpuUsage();
    return [
      one(all.ready, Number(gauges.isReady)),
      writeFamily(all.info, [{ labels: [productVersion], value: 1 }]),
      each(all.invocations, this.#byOutcome),
      each(all.starts, this.#byStart),
      writeHistogram(all.duration, duration.distribution),
      writeHistogram(all.placement, placement.distribution),
      writeHistogram(all.start, start.distribution),
      writeHistogram(all.run, run.distribution),
      writeHistogram(all.http, http.distribution),
      writeHistogram(all.exchange, exchange.distribution),
      each(all.responses, this.#byStatus),
      one(all.waiting, gauges.waiting),
      one(all.running, gauges.running),
      one(all.queued, gauges.queued),
      one(all.sent, gauges.sent),
      each(all.queueEnded, this.#queueByOutcome),
      one(all.attempts, this.#attempts),
      one(all.deadLetters, this.#deadLetters),
      one(all.sockets, gauges.sockets),
      each(all.agents, gauges.agents),
      one(all.shortOfDisk, gauges.agentsShortOfDisk),
      one(all.busConnected, Number(gauges.isConnected)),
      each(all.busEvents, gauges.busCounters),
      each(all.durability, new Map(durabilityStates.map((state) => [state, Number(state === gauges.durability)]))),
      one(all.recordsUnreadable, this.#unreadableRecords),
      one(all.historyPoints, gauges.history.points),
      one(all.historyLeftOut, gauges.history.leftOut),
      one(all.historyUnreadable, gauges.history.unreadable),
      each(all.spans, new Map(Object.entries(gauges.spans ?? {}))),
      one(all.memory, process.memoryUsage.rss()),
      one(all.cpu, (user + system) / 1e6),
      one(all.begun, performance.timeOrigin / 1000),
    ].join("");
  }
}

const zeroes = <Label extends string>(labels: readonly Label[]) => new Map<Label, number>(labels.map((label) => [label, 0]));

function add<Label extends string>(counts: Map<Label, number>, label: Label): void {
  counts.set(label, (counts.get(label) ?? 0) + 1);
}

const one = (definition: Definition, value: number) => writeFamily(definition, [{ labels: [], value }]);

function each(definition: Definition, values: ReadonlyMap<string, number>): string {
  return writeFamily(definition, [...values].map(([label, value]): Sample => ({ labels: [label], value })));
}
