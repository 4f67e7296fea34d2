import { type AgentAddress, type AgentId, type Heartbeat, type Introduction, type Labels, protocolVersion, type Revision, type RevisionCapacity, type SiteId } from "@longshore/protocol";
import { ManualClock } from "../../testing/manual-clock.ts";
import type { AgentEntry } from "../agent-entry.ts";
import type { Joined, JoinedAgent, JoinedSite } from "../joined.ts";
import { Roster } from "../roster.ts";

const gibibyte = 2 ** 30;

/** What an operator bound an agent to. */
export interface JoinWishes {
  readonly site?: string;
  readonly labels?: Labels;
  readonly cordoned?: boolean;
}

/** Joined agents and sites in memory. */
export class TestJoined implements Joined {
  readonly byAgent = new Map<AgentId, JoinedAgent>();
  readonly bySite = new Map<SiteId, JoinedSite>();
  readonly #handlers: ((agentId: AgentId | undefined) => void)[] = [];

  agent(agentId: AgentId): JoinedAgent | undefined {
    return this.byAgent.get(agentId);
  }

  agents(): Iterable<JoinedAgent> {
    return this.byAgent.values();
  }

  site(siteId: SiteId): JoinedSite | undefined {
    return this.bySite.get(siteId);
  }

  sites(): Iterable<JoinedSite> {
    return this.bySite.values();
  }

  onChange(handler: (agentId: AgentId | undefined) => void): void {
    this.#handlers.push(handler);
  }

  /** Joins an agent, or changes what it is bound to. */
  join(name: string, { site = "plant", labels = {}, cordoned = false }: JoinWishes = {}): AgentAddress {
    const address = { siteId: site as SiteId, agentId: name as AgentId };
    if (!this.bySite.has(address.siteId)) this.setSite({ siteId: address.siteId, regions: [] });
    this.byAgent.set(address.agentId, { ...address, labels, cordoned });
    this.#tell(address.agentId);
    return address;
  }

  /** Takes its credential back. */
  revoke(name: string): void {
    this.byAgent.delete(name as AgentId);
    this.#tell(name as AgentId);
  }

  setSite(site: Omit<JoinedSite, "siteId"> & { readonly siteId: string }): void {
    this.bySite.set(site.siteId as SiteId, { ...site, siteId: site.siteId as SiteId });
    this.#tell(undefined);
  }

  #tell(agentId: AgentId | undefined): void {
    for (const handler of this.#handlers) handler(agentId);
  }
}

/** A roster whose agents say what a test has them say. */
export class TestFleet {
  readonly clock = new ManualClock();
  readonly joined = new TestJoined();
  readonly roster: Roster;
  /** Agents that were asked to introduce themselves. */
  readonly introduced: AgentAddress[] = [];
  readonly #sequences = new Map<string, number>();

  constructor(random?: () => number) {
    this.roster = new Roster({
      joined: this.joined,
      clock: this.clock,
      introduce: (agent) => {
        this.introduced.push(agent);
        return Promise.resolve();
      },
      ...(random !== undefined && { random }),
    });
  }

  /** An agent that joined, is introduced and ready. */
  ready(name: string, { heartbeat, introduction, ...wishes }: JoinWishes & { readonly heartbeat?: Partial<Heartbeat>; readonly introduction?: Partial<Introduction> } = {}): AgentEntry {
    this.joined.join(name, wishes);
    this.introduction(name, introduction);
    this.heartbeat(name, heartbeat);
    return this.agent(name);
  }

  agent(name: string): AgentEntry {
    const entry = this.roster.get(name as AgentId);
    if (entry === undefined) throw new Error(`there is no agent ${name}`);
    return entry;
  }

  introduction(name: string, differences: Partial<Introduction> = {}): void {
    this.roster.introduction(this.#address(name), { ...this.#address(name), ...introduction, ...differences });
  }

  /** Each has the next sequence number, unless the test names one. */
  heartbeat(name: string, differences: Partial<Heartbeat> = {}): void {
    const sequence = (this.#sequences.get(name) ?? 0) + 1;
    this.#sequences.set(name, sequence);
    this.roster.heartbeat(this.#address(name), { ...this.#address(name), ...heartbeat, sequence, ...differences });
  }

  #address(name: string): AgentAddress {
    const known = this.joined.agent(name as AgentId) ?? this.roster.get(name as AgentId)?.address;
    return { siteId: known?.siteId ?? ("plant" as SiteId), agentId: name as AgentId };
  }
}

const introduction = {
  protocolVersion,
  incarnation: "first",
  version: "0.1.0",
  hostName: "host",
  architecture: "amd64",
  engine: { name: "docker", version: "28" },
  cpuMillis: 4_000,
  memoryBytes: 16 * gibibyte,
  diskFreeBytes: 100 * gibibyte,
  hostLabels: {},
  runtimes: ["runc"],
  canHold: true,
};

const heartbeat = {
  incarnation: "first",
  state: "ready" as const,
  memoryBytes: 16 * gibibyte,
  memoryFreeBytes: 16 * gibibyte,
  instancesMax: 32,
  instancesFree: 32,
  cedesBelow: 0,
  running: 0,
  idle: 0,
  held: 0,
  revisions: [],
};

/** What an agent has of a revision: its image, unless the test says more. */
export function shareIn(revision: Revision, differences: Partial<RevisionCapacity> = {}): RevisionCapacity {
  return { revisionDigest: revision.digest, freeSlots: 0, running: 0, instances: 0, held: 0, starting: 0, imagePresent: true, ...differences };
}
