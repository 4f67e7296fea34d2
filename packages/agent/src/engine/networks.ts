import { createHash } from "node:crypto";
import { EngineError } from "./engine.ts";
import { labelKeys } from "./labels.ts";

/** A bridge as the agent wants it. */
export interface PlannedNetwork {
  readonly name: string;
  /** The bridge's interface on the host: at most 15 characters. */
  readonly bridge: string;
  /** No way out but to the host. */
  readonly internal: boolean;
}

/** A network as the engine has it, as far as it matters here. */
export interface ExistingNetwork extends PlannedNetwork {
  readonly id: string;
  readonly driver: string;
  readonly isolatesContainers: boolean;
}

/** What is asked of an engine about networks that carry one agent's label. */
export interface NetworkCalls {
  listOwned(): Promise<ExistingNetwork[]>;
  create(network: PlannedNetwork & { options: Record<string, string>; labels: Record<string, string> }): Promise<void>;
  /** Fails with `conflict` while containers are connected. */
  remove(id: string): Promise<void>;
  /** Removes the agent's own containers that are connected to the network. */
  removeContainersOn(network: ExistingNetwork): Promise<void>;
}

/** The agent's two networks: `internal` for functions without egress, `internet` for all others. */
export interface AgentNetworks {
  readonly internal: PlannedNetwork;
  readonly internet: PlannedNetwork;
}

/** A short name for an agent where 63 characters have no room: eight hex digits. */
export function agentHash(agentId: string): string {
  return createHash("sha256").update(agentId).digest("hex").slice(0, 8);
}

/** Names of an agent's networks and bridges: a function of its id, so that a restarted agent finds them again. */
export function planNetworks(agentId: string): AgentNetworks {
  const hash = agentHash(agentId);
  return {
    internal: { name: `longshore-${agentId}-internal`, bridge: `ls${hash}i`, internal: true },
    internet: { name: `longshore-${agentId}-internet`, bridge: `ls${hash}e`, internal: false },
  };
}

/** Engine options by which a bridge is told from one that only bears the same name. */
export const bridgeOptionKeys = { name: "com.docker.network.bridge.name", icc: "com.docker.network.bridge.enable_icc" } as const;

/** Makes both networks, keeping those that are exactly as planned and replacing those of ours that are not. Idempotent. */
export async function ensureNetworks(agentId: string, calls: NetworkCalls): Promise<void> {
  const existing = await calls.listOwned();
  const { internal, internet } = planNetworks(agentId);
  for (const planned of [internal, internet]) {
    const sameName = existing.filter((network) => network.name === planned.name);
    const kept = sameName.find((network) => isAsPlanned(network, planned));
    for (const network of sameName) if (network !== kept) await replaceable(network, calls);
    if (kept === undefined) await create(planned, agentId, calls);
  }
}

/** Removes every network that carries the agent's label. Idempotent; fails with `conflict` while containers are connected. */
export async function removeNetworks(calls: NetworkCalls): Promise<void> {
  for (const network of await calls.listOwned()) await removeOne(network, calls);
}

function isAsPlanned(network: ExistingNetwork, planned: PlannedNetwork): boolean {
  return network.driver === "bridge" && network.bridge === planned.bridge && network.internal === planned.internal && network.isolatesContainers;
}

/** A network that does not isolate as planned must go, and what runs on it with it. */
async function replaceable(network: ExistingNetwork, calls: NetworkCalls): Promise<void> {
  await calls.removeContainersOn(network);
  await removeOne(network, calls);
}

async function removeOne(network: ExistingNetwork, calls: NetworkCalls): Promise<void> {
  try {
    await calls.remove(network.id);
  } catch (error) {
    if (!(error instanceof EngineError && error.failure === "not_found")) throw error;
  }
}

async function create(planned: PlannedNetwork, agentId: string, calls: NetworkCalls): Promise<void> {
  await calls.create({
    ...planned,
    options: { [bridgeOptionKeys.name]: planned.bridge, [bridgeOptionKeys.icc]: "false" },
    labels: { [labelKeys.agent]: agentId, [labelKeys.fleet]: "true" },
  });
}
