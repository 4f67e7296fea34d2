import { type DurabilityState, durabilityStates, type InvocationRecord, type Outcome, outcomes } from "@longshore/protocol";

/** Upper bounds of the duration histogram, seconds. */
const bucketSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** What is read at the moment of a scrape. */
export interface Gauges {
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
}

/** Counts invocations and writes what Prometheus reads. Label sets are bounded: outcomes, states and our own event names. */
export class Metrics {
  readonly #byOutcome = new Map<Outcome, number>(outcomes.map((outcome) => [outcome, 0]));
  readonly #byStart = new Map<string, number>([["warm", 0], ["held", 0], ["cold", 0]]);
  readonly #buckets = bucketSeconds.map(() => 0);
  #unreadableRecords = 0;
  #seconds = 0;
  #count = 0;

  /** Counts one invocation that has ended. */
  ended(record: InvocationRecord): void {
    const { outcome } = record.result;
    this.#byOutcome.set(outcome, (this.#byOutcome.get(outcome) ?? 0) + 1);
    if (record.start !== undefined) this.#byStart.set(record.start, (this.#byStart.get(record.start) ?? 0) + 1);
    const seconds = (record.timings.totalMs ?? 0) / 1000;
    this.#seconds += seconds;
    this.#count += 1;
    const bucket = bucketSeconds.findIndex((bound) => seconds <= bound);
    if (bucket >= 0) this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  /** Counts a terminal record that a listing left out. */
  unreadableRecord(): void {
    this.#unreadableRecords += 1;
  }

  /** The page in Prometheus' text format. */
  page(gauges: Gauges): string {
    return [
      family("longshore_invocations_total", "counter", "Invocations that ended, by outcome", labelled("outcome", this.#byOutcome)),
      family("longshore_starts_total", "counter", "Invocations by how their instance came to be", labelled("start", this.#byStart)),
      this.#histogram(),
      family("longshore_records_unreadable_total", "counter", "Terminal records that a listing left out because they cannot be read", [["", this.#unreadableRecords]]),
      family("longshore_invocations_waiting", "gauge", "Invocations in the backlog", [["", gauges.waiting]]),
      family("longshore_invocations_running", "gauge", "Invocations sent to an agent", [["", gauges.running]]),
      family("longshore_queue_invocations", "gauge", "Accepted invocations in this broker's partitions", [["", gauges.queued]]),
      family("longshore_queue_sent", "gauge", "Accepted invocations that this broker has sent to agents", [["", gauges.sent]]),
      family("longshore_sockets", "gauge", "Open WebSocket connections", [["", gauges.sockets]]),
      family("longshore_agents", "gauge", "Agents by state", labelled("state", gauges.agents)),
      family("longshore_agents_short_of_disk", "gauge", "Agents in reach that pull no image because their disk is full", [["", gauges.agentsShortOfDisk]]),
      family("longshore_bus_events_total", "counter", "What the bus dropped or counted", labelled("event", gauges.busCounters)),
      family("longshore_bus_durability", "gauge", "Whether the bus syncs every write to disk", labelled("state", new Map(durabilityStates.map((each) => [each, each === gauges.durability ? 1 : 0])))),
      family("process_resident_memory_bytes", "gauge", "Resident memory", [["", process.memoryUsage.rss()]]),
    ].join("");
  }

  #histogram(): string {
    let below = 0;
    const lines = bucketSeconds.map((bound, index): [string, number] => [`_bucket{le="${bound}"}`, (below += this.#buckets[index] ?? 0)]);
    lines.push(['_bucket{le="+Inf"}', this.#count], ["_sum", this.#seconds], ["_count", this.#count]);
    return family("longshore_invocation_duration_seconds", "histogram", "From arrival to the end of the answer", lines);
  }
}

function labelled(label: string, values: ReadonlyMap<string, number>): [string, number][] {
  return [...values].map(([value, count]) => [`{${label}="${value.replaceAll(/["\\\n]/g, "_")}"}`, count]);
}

function family(name: string, type: string, help: string, lines: readonly (readonly [suffix: string, value: number])[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map(([suffix, value]) => `${name}${suffix} ${value}\n`).join("")}`;
}
