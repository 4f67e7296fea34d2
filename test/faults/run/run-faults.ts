import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { seededRandom } from "../../../packages/broker/src/testing/random.ts";
import { type FaultKind, faultKinds } from "../fault-kinds.ts";
import { createHarnessClock } from "../harness-clock.ts";
import { HistoryWriter, readHistory } from "../history-file.ts";
import type { HistoryEvent } from "../history.ts";
import { describeSchedule, type PlannedFault, planFaults, type Schedule, type Targets } from "../schedule.ts";
import { documentOf, stages, type Stage } from "./actor.ts";
import { ContainerBook } from "./container-book.ts";
import { FaultyFleet, type FaultyFleetOptions } from "./fleet.ts";
import { GroundTruth } from "./ground-truth.ts";
import { inject, targetsIn } from "./injectors.ts";
import { sweepFor, writeCapacity } from "./leftovers.ts";
import { Load, type Pace, paced, recordWithinMs } from "./load.ts";
import { readAsOthers, readRecords, untilEnded, whatIsKnown } from "./reading.ts";
import { createTenants, type Tenant } from "./tenants.ts";
import { notice, watch, writeOutbox } from "./watch.ts";

export interface FaultRunOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly ratePerSecond: number;
  readonly fleet?: FaultyFleetOptions;
  readonly stages?: readonly Stage[];
  readonly repeatsFailures?: boolean;
  readonly pace?: Pace;
  /** Only these, of those that can be done. */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** In place of a schedule by the seed: what is there to be broken, and when. */
  readonly faults?: (targets: Targets) => readonly PlannedFault[];
  /** Where the history goes; absent: it is kept nowhere. */
  readonly historyFile?: string | undefined;
  /** How long to wait after heal before looking for what is left. */
  readonly calmMs?: number;
  readonly tell?: (line: string) => void;
}

/** Runs a fleet under load and faults to the end, and gives its history. The same options break the same at the same times. */
export async function runFaults(options: FaultRunOptions): Promise<HistoryEvent[]> {
  const folder = mkdtempSync(join(tmpdir(), "longshore-fault-history-"));
  const path = options.historyFile ?? join(folder, "history.jsonl");
  try {
    await record(options, path);
    return readHistory(path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function record(options: FaultRunOptions, path: string): Promise<void> {
  const { seed, ratePerSecond, pace = "mixed", tell = () => undefined } = options;
  const played = paced(options.stages ?? stages, pace);
  const startedAt = new Date();
  const clock = createHarnessClock(undefined, startedAt);
  using file = HistoryWriter.open(path, clock);
  const written: HistoryEvent[] = [];
  const history = remembering(file, written);
  await using containers = await ContainerBook.open();
  await using fleet = await FaultyFleet.start(options.fleet ?? usualFleet(options));
  await using truth = await GroundTruth.start(history, clock, containers);
  for (const agent of fleet.agents) truth.join(agent);
  const schedule = scheduleOf(options, targetsIn(fleet, options.kinds));
  tell(describeSchedule(schedule));
  const tenants = await createTenants(fleet.busCredentials);
  history.write({ event: "opened", atMs: 0, seed, startedAt: startedAt.toISOString(), machine: `${cpus().length} cores`, minutes: options.minutes, kinds: [...new Set(schedule.faults.map(({ kind }) => kind))], tenants: Object.fromEntries(tenants.map(({ tenantId, marker }) => [tenantId, marker])) });
  await deploy(fleet, played, truth, tenants);
  await writeCapacity(fleet, history, "before");

  const random = seededRandom(seed + 1);
  const load = new Load({ brokers: fleet.brokers, stages: played, history, clock, random, ratePerSecond, tenants, repeatsFailures: options.repeatsFailures ?? true, pace });
  const [loadOver, watchOver] = [new AbortController(), new AbortController()];
  const watching = [watch(fleet, history, watchOver.signal), notice(fleet, history, written, watchOver.signal)];
  const loading = load.run(loadOver.signal);
  const untilSettled = async () => {
    await Promise.all([inject(schedule.faults, { fleet, load, random: seededRandom(seed + 2) }, history), delay(schedule.endMs)]);
    loadOver.abort();
    tell("all is healed; waiting for what was accepted");
    await loading;
    await settle({ fleet, history, written, options, clock, tenants });
  };
  try {
    await Promise.race([untilSettled(), truth.failed, ...watching]);
  } finally {
    loadOver.abort();
    watchOver.abort();
  }
  await Promise.all(watching);
  for (const { process } of [...fleet.agents, ...fleet.brokers]) for (const death of process.deaths) tell(`${process.name} ended by itself: ${death.slice(-2_000)}`);
  history.write({ event: "closed" });
  if (options.historyFile !== undefined) keepLogs(fleet, options.historyFile);
}

function usualFleet(options: FaultRunOptions): FaultyFleetOptions {
  return {
    brokers: 2,
    sites: ["plant", "plant", "cloud"],
    busDisk: canBreak(options, ["power_cut", "disk_full"]),
    ownEngine: canBreak(options, ["engine_kill", "engine_restart", "engine_hang"]),
    // Were all to idle out in each fault of the bus, a small machine would do nothing but begin them again.
    ...(options.pace === "brief" && { idleMs: 60_000 }),
  };
}

/** Some of these are wanted, and can be done: only root has loop devices and network namespaces. */
function canBreak({ kinds = faultKinds }: FaultRunOptions, some: readonly FaultKind[]): boolean {
  return process.getuid?.() === 0 && some.some((kind) => kinds.includes(kind));
}

interface Settling {
  readonly fleet: FaultyFleet;
  readonly history: HistoryWriter;
  readonly written: readonly HistoryEvent[];
  readonly options: FaultRunOptions;
  readonly clock: ReturnType<typeof createHarnessClock>;
  readonly tenants: readonly Tenant[];
}

/** After the last heal: until everything accepted has ended, and then what is left. */
async function settle({ fleet, history, written, options, clock, tenants }: Settling): Promise<void> {
  const reading = { brokers: fleet.brokers, history, clock, tenants, tenantOf: ownersIn(written, tenants) };
  const healedMs = clock.nowMs();
  const accepted = [...new Set(written.filter(({ event }) => event === "accepted").map((event) => (event as { invocationId: string }).invocationId))];
  const without = await untilEnded(accepted, healedMs + recordWithinMs(options.pace ?? "mixed"), reading);
  for (const id of without) options.tell?.(`no record of ${id}: ${await whatIsKnown(id, reading)}`);
  if (without.length > 0 && options.historyFile !== undefined) cpSync(fleet.bus.store, `${options.historyFile}.jetstream`, { recursive: true });
  const broken = written.filter((event) => event.event === "refused" && event.reason === "connection_lost").map((event) => (event as { invocationId: string }).invocationId);
  await writeCapacity(fleet, history, "after");
  await delay(Math.max(0, healedMs + (options.calmMs ?? 31_000) - clock.nowMs()));
  await sweepFor(fleet, history);
  await readRecords([...new Set([...accepted, ...broken])], reading);
  await readAsOthers(accepted, reading);
  for (const agent of fleet.agents) await writeOutbox(agent, history);
}

function scheduleOf({ seed, minutes, faults }: FaultRunOptions, targets: Targets): Schedule {
  if (faults === undefined) return planFaults({ seed, minutes, targets });
  const planned = faults(targets);
  return { seed, faults: planned, rounds: [], healedMs: Math.max(0, ...planned.map(({ atMs, healAfterMs }) => atMs + healAfterMs)), endMs: minutes * 60_000 };
}

/** Whose each invocation is, by its submission. */
function ownersIn(written: readonly HistoryEvent[], tenants: readonly Tenant[]): (invocationId: string) => Tenant {
  const owners = new Map(written.filter((event) => event.event === "submitted").map(({ invocationId, tenantId }) => [invocationId, tenantId]));
  return (invocationId) => tenants.find(({ tenantId }) => tenantId === owners.get(invocationId)) as Tenant;
}

/** The same functions for each tenant. */
async function deploy(fleet: FaultyFleet, wanted: readonly Stage[], truth: GroundTruth, tenants: readonly Tenant[]): Promise<void> {
  const documents = await Promise.all(wanted.map((stage) => documentOf(stage, truth.address)));
  for (const { engine } of fleet.agents) for (const image of new Set(documents.map(({ image }) => image))) await engine?.take(image);
  for (const { key } of tenants) {
    await using client = fleet.client(key);
    for (const document of documents) await client.deploy(document);
  }
}

/** Beside the history: what brokers, agents and the bus wrote of themselves. */
function keepLogs(fleet: FaultyFleet, historyFile: string): void {
  for (const { process } of [...fleet.agents, ...fleet.brokers]) writeFileSync(`${historyFile}.${process.name}.log`, process.errors);
  copyFileSync(fleet.bus.logFile, `${historyFile}.nats.log`);
  for (const { engine } of fleet.agents) if (engine !== undefined) copyFileSync(engine.logFile, `${historyFile}.dockerd.log`);
}

/** A writer that also keeps what it wrote. */
function remembering(file: HistoryWriter, written: HistoryEvent[]): HistoryWriter {
  const write: HistoryWriter["write"] = (event) => {
    const stamped = file.write(event);
    written.push(stamped);
    return stamped;
  };
  return { write, [Symbol.dispose]: () => undefined } as unknown as HistoryWriter;
}
