import { setTimeout as delay } from "node:timers/promises";
import { labelKeys } from "../../../packages/agent/src/engine/labels.ts";
import type { FaultKind } from "../fault-kinds.ts";
import type { HistoryWriter } from "../history-file.ts";
import { type PlannedFault, placeOf, type Targets } from "../schedule.ts";
import { atAgentFailpoints, atBrokerFailpoints, dieAt, failpointOf } from "./failpoints.ts";
import type { FaultyAgent, FaultyBroker, FaultyFleet } from "./fleet.ts";
import type { Load } from "./load.ts";
import type { OwnEngine } from "./own-engine.ts";
import type { Supervised } from "./supervised.ts";

/** What there is to be broken. */
export interface Breakable {
  readonly fleet: FaultyFleet;
  readonly load: Pick<Load, "cancelledShare" | "largeShare">;
  readonly random: () => number;
}

/** Heals what was broken; says of a failpoint whether it was reached. */
type Heal = () => Promise<void | { readonly reached: boolean }>;
/** Breaks one thing, as said; what it resolves with heals it. */
type Inject = (breakable: Breakable, target: string) => Promise<Heal>;

const instant = () => Promise.resolve();
const flapEveryMs = 700;

const injectors: Partial<Record<FaultKind, Inject>> = {
  agent_kill: ({ fleet, random }, target) => kill(agentOf(fleet, placeOf(target)).process, target, random),
  agent_freeze: ({ fleet }, target) => freeze(agentOf(fleet, target)),
  broker_kill: ({ fleet, random }, target) => kill(brokerOf(fleet, placeOf(target)).process, target, random),
  broker_freeze: ({ fleet }, target) => freeze(brokerOf(fleet, target)),
  async nats_kill({ fleet }) {
    await fleet.bus.kill();
    return () => fleet.bus.start();
  },
  async engine_kill({ fleet }, target) {
    const engine = engineOf(fleet, target);
    await engine.kill();
    return () => engine.start();
  },
  async engine_restart({ fleet }, target) {
    const engine = engineOf(fleet, target);
    await engine.stop();
    return () => engine.start();
  },
  engine_hang({ fleet }, target) {
    const engine = engineOf(fleet, target);
    engine.freeze();
    return Promise.resolve(async () => engine.thaw());
  },
  async power_cut({ fleet }) {
    await fleet.bus.cutPower();
    return () => fleet.bus.start();
  },
  async disk_full({ fleet: { bus } }) {
    bus.disk.fill();
    return async () => {
      bus.disk.empty();
      await bus.kill();
      await bus.start();
    };
  },
  link_cut({ fleet }, target) {
    const { link } = agentOf(fleet, target);
    link.cut();
    return Promise.resolve(async () => link.heal());
  },
  link_black_hole({ fleet }, target) {
    const { link } = agentOf(fleet, target);
    link.blackHole();
    return Promise.resolve(async () => {
      link.cut();
      link.heal();
    });
  },
  /** Orders still arrive, and results do not: with large ones a small outbox is soon full. */
  link_one_way({ fleet, load }, target) {
    const { link } = agentOf(fleet, target);
    const usual = load.largeShare;
    load.largeShare = 1;
    link.oneWay();
    return Promise.resolve(async () => {
      load.largeShare = usual;
      link.cut();
      link.heal();
    });
  },
  link_flap({ fleet }, target) {
    const { link } = agentOf(fleet, target);
    let isCut = false;
    const flap = setInterval(() => {
      isCut = !isCut;
      if (isCut) link.cut();
      else link.heal();
    }, flapEveryMs);
    return Promise.resolve(async () => {
      clearInterval(flap);
      link.heal();
    });
  },
  reconnect_storm({ fleet }) {
    for (const { link } of fleet.agents) {
      link.cut();
      link.heal();
    }
    return Promise.resolve(instant);
  },
  async container_kill({ fleet, random }, target) {
    const container = await containerOf(agentOf(fleet, target), random);
    await container?.kill({ signal: "SIGKILL" }).catch(() => undefined);
    return instant;
  },
  async container_remove({ fleet, random }, target) {
    const container = await containerOf(agentOf(fleet, target), random);
    await container?.remove({ force: true }).catch(() => undefined);
    return instant;
  },
  cancels({ load }) {
    const usual = load.cancelledShare;
    load.cancelledShare = 0.4;
    return Promise.resolve(async () => {
      load.cancelledShare = usual;
    });
  },
};

/** Everything of a fleet that can be broken here, for a schedule; `kinds` names those that are wanted. */
export function targetsIn({ agents, brokers, bus }: Pick<FaultyFleet, "agents" | "brokers" | "bus">, kinds: readonly FaultKind[] = Object.keys(injectors) as FaultKind[]): Targets {
  const [agentIds, brokerIds] = [agents.map(({ agentId }) => agentId), brokers.map(({ brokerId }) => brokerId)];
  const names = (kind: FaultKind) => {
    if (kind === "agent_kill") return atAgentFailpoints(agentIds);
    if (kind === "broker_kill") return atBrokerFailpoints(brokerIds);
    if (kind.startsWith("broker")) return brokerIds;
    if (kind.startsWith("engine")) return agents.filter(({ engine }) => engine !== undefined).map(({ agentId }) => agentId);
    if (kind === "nats_kill") return ["nats"];
    if (kind === "power_cut" || kind === "disk_full") return bus.hasDisk ? ["nats"] : [];
    if (kind === "reconnect_storm" || kind === "cancels") return ["all"];
    return agentIds;
  };
  return Object.fromEntries(kinds.filter((kind) => injectors[kind] !== undefined).map((kind) => [kind, names(kind)]));
}

/** Breaks and heals as it was planned; resolves once all is healed. */
export async function inject(faults: readonly PlannedFault[], breakable: Breakable, history: HistoryWriter): Promise<void> {
  await Promise.all(faults.map(async ({ faultId, atMs, kind, target, healAfterMs }) => {
    await delay(atMs);
    const { agents, brokers } = breakable.fleet;
    const agentIds = agents.filter(({ agentId }) => agentId === placeOf(target)).map(({ agentId }) => agentId);
    const brokerIds = brokers.filter(({ brokerId }) => brokerId === placeOf(target)).map(({ brokerId }) => brokerId);
    history.write({ event: "fault_began", faultId, kind, target, ...(agentIds.length > 0 && { agentIds }), ...(brokerIds.length > 0 && { brokerIds }) });
    const heal = await injectors[kind]?.(breakable, target);
    await delay(healAfterMs);
    const healed = await heal?.();
    history.write({ event: "fault_healed", faultId, ...healed });
  }));
}

async function kill(process: Supervised, target: string, random: () => number): Promise<Heal> {
  const failpoint = failpointOf(target);
  if (failpoint !== undefined) return dieAt(process, failpoint, random);
  await process.kill();
  return () => process.start();
}

function freeze({ process }: Pick<FaultyAgent | FaultyBroker, "process">): Promise<() => Promise<void>> {
  process.freeze();
  return Promise.resolve(async () => process.thaw());
}

/** One of an agent's containers, whatever it does. */
async function containerOf({ agentId, docker }: FaultyAgent, random: () => number) {
  const listed = await docker.listContainers({ filters: { label: [`${labelKeys.agent}=${agentId}`] } });
  const picked = listed[Math.floor(random() * listed.length)];
  return picked && docker.getContainer(picked.Id);
}

function agentOf({ agents }: FaultyFleet, target: string): FaultyAgent {
  const agent = agents.find(({ agentId }) => agentId === target);
  if (agent === undefined) throw new Error(`Cannot break "${target}": there is no such agent`);
  return agent;
}

function engineOf(fleet: FaultyFleet, target: string): OwnEngine {
  const { engine } = agentOf(fleet, target);
  if (engine === undefined) throw new Error(`Cannot break the engine of "${target}": it is the machine's`);
  return engine;
}

function brokerOf({ brokers }: FaultyFleet, target: string): FaultyBroker {
  const broker = brokers.find(({ brokerId }) => brokerId === target);
  if (broker === undefined) throw new Error(`Cannot break "${target}": there is no such broker`);
  return broker;
}
