import type { AgentView } from "@longshore/sdk";
import { type HostState, stateOf } from "./fleet-store.ts";
import { instancesOf } from "./instances.ts";

/** What hosts have together, of those that are heard; and how many are in which state. */
export interface Totals {
  readonly hosts: number;
  readonly states: Readonly<Partial<Record<HostState, number>>>;
  /** Invocations under way. */
  readonly running: number;
  /** Instances, and about how many there is room for: {@link instancesOf}. */
  readonly busy: number;
  readonly idle: number;
  readonly held: number;
  readonly room: number;
  readonly memoryBytes: number;
  readonly memoryFreeBytes: number;
  readonly imagesBytes: number;
  /** Hosts whose disk is too full to pull images. */
  readonly shortOfDisk: number;
}

/** Adds hosts up. */
export function totalsOf(agents: Iterable<AgentView>): Totals {
  const totals = { hosts: 0, states: {} as Partial<Record<HostState, number>>, running: 0, busy: 0, idle: 0, held: 0, room: 0, memoryBytes: 0, memoryFreeBytes: 0, imagesBytes: 0, shortOfDisk: 0 };
  for (const agent of agents) {
    const state = stateOf(agent);
    totals.hosts += 1;
    totals.states[state] = (totals.states[state] ?? 0) + 1;
    if (state === "lost" || state === "refused") continue;
    const { capacity } = agent;
    const { busy, idle, held, room } = instancesOf(agent);
    totals.running += capacity.running;
    totals.busy += busy;
    totals.idle += idle;
    totals.held += held;
    totals.room += room;
    totals.memoryBytes += capacity.memoryBytes;
    totals.memoryFreeBytes += capacity.memoryFreeBytes;
    totals.imagesBytes += capacity.disk?.imagesBytes ?? 0;
    if (capacity.disk?.pressure === true) totals.shortOfDisk += 1;
  }
  return totals;
}

/** The parts that a host's, or many hosts', memory is in, as shares of 1: what runs and idles, what is free. */
export function memoryShares({ memoryBytes, memoryFreeBytes }: Pick<Totals, "memoryBytes" | "memoryFreeBytes">): { readonly used: number; readonly free: number } {
  const used = memoryBytes <= 0 ? 0 : Math.min(1, Math.max(0, 1 - memoryFreeBytes / memoryBytes));
  return { used, free: 1 - used };
}
