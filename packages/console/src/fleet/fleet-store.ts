import type { AgentView, FleetEvent } from "@longshore/sdk";
import { Ring } from "../shell/ring.ts";

/** What a host is, in one word: its state, `cordoned` where it is ready and out of placement. */
export type HostState = AgentView["state"] | "cordoned";

/** A host that became something else, as it was told. */
export interface HostChange {
  readonly atMs: number;
  readonly agentId: string;
  readonly siteId: string;
  /** Absent: it was not known before. */
  readonly from: HostState | undefined;
  /** Absent: it is gone. */
  readonly to: HostState | undefined;
}

const changesKept = 200;

/**
 * Every host as it stands. The events before a `caught_up` are the whole fleet; after the connection broke they come again, and who is not
 * among them is gone.
 */
export class FleetStore {
  readonly changes = new Ring<HostChange>(changesKept);
  readonly #agents = new Map<string, AgentView>();
  /** Told since the connection opened; absent once that was all. */
  #told: Set<string> | undefined = new Set();
  #sorted: AgentView[] | undefined;
  #hasCaughtUp = false;

  /** True once the whole fleet has been told. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }

  get size(): number {
    return this.#agents.size;
  }

  get(agentId: string): AgentView | undefined {
    return this.#agents.get(agentId);
  }

  /** By site, then by name. */
  agents(): readonly AgentView[] {
    return (this.#sorted ??= [...this.#agents.values()].sort(bySiteAndName));
  }

  /** The connection opened: all will be told again. */
  beginAgain(): void {
    this.#told = new Set();
  }

  take(event: FleetEvent, nowMs: number): void {
    if (event.event === "agent") this.#put(event.agent, nowMs);
    else if (event.event === "agent_gone") this.#remove(event.agentId, nowMs);
    else if (event.event === "caught_up") this.#catchUp(nowMs);
  }

  #put(agent: AgentView, nowMs: number): void {
    const before = this.#agents.get(agent.agentId);
    this.#told?.add(agent.agentId);
    this.#agents.set(agent.agentId, agent);
    if (before?.siteId !== agent.siteId) this.#sorted = undefined;
    else if (this.#sorted !== undefined) this.#sorted[placeOf(this.#sorted, agent)] = agent; // Heartbeats, of thousands a second, change no order.
    const [from, to] = [before === undefined ? undefined : stateOf(before), stateOf(agent)];
    if (this.#hasCaughtUp && from !== to) this.changes.push({ atMs: nowMs, agentId: agent.agentId, siteId: agent.siteId, from, to });
  }

  #remove(agentId: string, nowMs: number): void {
    const before = this.#agents.get(agentId);
    if (before === undefined) return;
    this.#agents.delete(agentId);
    this.#sorted = undefined;
    this.changes.push({ atMs: nowMs, agentId, siteId: before.siteId, from: stateOf(before), to: undefined });
  }

  #catchUp(nowMs: number): void {
    for (const agentId of [...this.#agents.keys()]) if (this.#told?.has(agentId) === false) this.#remove(agentId, nowMs);
    this.#told = undefined;
    this.#hasCaughtUp = true;
  }
}

/** Where a host stands that is known to be there. */
function placeOf(sorted: readonly AgentView[], agent: AgentView): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = sorted[middle];
    if (other !== undefined && bySiteAndName(other, agent) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bySiteAndName(a: AgentView, b: AgentView): number {
  if (a.siteId !== b.siteId) return a.siteId < b.siteId ? -1 : 1;
  return a.agentId < b.agentId ? -1 : a.agentId > b.agentId ? 1 : 0;
}

/** What a host is, in one word. */
export function stateOf({ state, cordoned }: Pick<AgentView, "state" | "cordoned">): HostState {
  return state === "ready" && cordoned ? "cordoned" : state;
}
