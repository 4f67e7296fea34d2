import { seededRandom } from "../../../packages/broker/src/testing/random.ts";
import type { FaultKind } from "../fault-kinds.ts";
import type { EventOf, Found, HistoryEvent } from "../history.ts";
import { planFaults } from "../schedule.ts";
import { agentIds, brokerIds, eventsOfFault, imagineFault, targets, tenants } from "./fleet.ts";
import { imagineInvocation, type ImaginedInvocation, type KeptResult, type World } from "./invocation.ts";

const mebibyte = 2 ** 20;
/** After the last submission: the last attempts of accepted work. */
const restMs = 250_000;

/** A history in which every promise is kept, under faults of every kind: the same for the same seed. Some four invocations a second. */
export function imagineHistory(seed: number, minutes = 6): HistoryEvent[] {
  const random = seededRandom(seed);
  const schedule = planFaults({ seed, minutes, targets });
  const faults = schedule.faults.map(imagineFault);
  const closedMs = schedule.endMs + restMs;
  const world: World = { faults, random, lastReadingMs: closedMs - 100 };
  const invocations: ImaginedInvocation[] = [];
  for (let atMs = 100; atMs < schedule.endMs - 25_000; atMs += 50 + random() * 400) {
    invocations.push(imagineInvocation(`01890000-0000-7000-8000-${String(invocations.length).padStart(12, "0")}`, atMs, world));
  }
  const runs = runsOf(invocations.flatMap((invocation) => invocation.events));
  const kept = invocations.flatMap((invocation) => invocation.kept);
  const events: HistoryEvent[] = [
    { event: "opened", atMs: 0, seed, startedAt: "2026-11-28T12:00:00.000Z", machine: "imagined", minutes, kinds: Object.keys(targets) as FaultKind[], tenants: { ...tenants } },
    ...capacities("before", 1),
    ...faults.flatMap(eventsOfFault),
    ...invocations.flatMap((invocation) => invocation.events),
    ...samples(closedMs, 15_000).map((atMs) => sweep(atMs, runs)),
    ...samples(closedMs, 1_000).flatMap((atMs) => agentIds.map((agentId) => outbox(atMs, agentId, kept))),
    ...samples(closedMs, 10_000).flatMap((atMs) => memory(atMs, random)),
    ...capacities("after", closedMs - 50),
    { event: "closed", atMs: closedMs },
  ];
  return events.sort((a, b) => a.atMs - b.atMs);
}

function samples(untilMs: number, everyMs: number): number[] {
  return Array.from({ length: Math.floor((untilMs - 1) / everyMs) }, (_, index) => (index + 1) * everyMs);
}

function capacities(moment: "before" | "after", atMs: number): EventOf<"capacity">[] {
  return agentIds.map((agentId) => ({ event: "capacity", atMs, agentId, moment, values: { running: 0, instancesFree: 8, memoryFreeBytes: 2 ** 31 } }));
}

function sweep(atMs: number, runs: readonly ImaginedRun[]): EventOf<"sweep"> {
  const running = runs.filter((run) => run.fromMs <= atMs && atMs < run.untilMs);
  const busy = running.map(({ runId, agentId, invocationId }): Found => ({ what: "container", name: `busy-${runId}`, agentId, invocationIds: [invocationId] }));
  const own = agentIds.flatMap((agentId): Found[] => [
    { what: "network", name: `longshore-${agentId}`, agentId, knownTo: agentId, invocationIds: [] },
    { what: "container", name: `held-${agentId}`, agentId, knownTo: agentId, invocationIds: [] },
  ]);
  return { event: "sweep", atMs, found: [...own, ...busy] };
}

interface ImaginedRun {
  readonly runId: string;
  readonly agentId: string;
  readonly invocationId: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

function runsOf(events: readonly HistoryEvent[]): ImaginedRun[] {
  const ends = new Map(events.filter((event) => event.event === "ended").map(({ runId, atMs }) => [runId, atMs]));
  return events.filter((event) => event.event === "began").map(({ runId, agentId, invocationId, atMs }) => ({ runId, agentId, invocationId, fromMs: atMs, untilMs: ends.get(runId) ?? Number.POSITIVE_INFINITY }));
}

function outbox(atMs: number, agentId: string, kept: readonly KeptResult[]): EventOf<"outbox"> {
  const waiting = kept.filter((each) => each.agentId === agentId && each.fromMs <= atMs && atMs < each.untilMs).map(({ invocationId }) => invocationId);
  return { event: "outbox", atMs, agentId, waiting, bytes: waiting.length * 4096, quotaBytes: 64 * mebibyte };
}

function memory(atMs: number, random: () => number): EventOf<"memory">[] {
  const parts = [...brokerIds, ...agentIds, "nats"];
  return parts.map((part, index) => ({ event: "memory", atMs, part, processId: 100 + index, bytes: Math.round((60 + 50 * Math.min(1, atMs / 60_000) + 5 * random()) * mebibyte) }));
}
