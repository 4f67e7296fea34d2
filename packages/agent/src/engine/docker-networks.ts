import type { Logger } from "../log.ts";
import { callLimits, type DockerApi } from "./docker-api.ts";
import { removeContainer } from "./docker-removal.ts";
import type { BridgeGateways } from "./engine.ts";
import type { Firewall, HostPort } from "./firewall.ts";
import { labelKeys } from "./labels.ts";
import { bridgeOptionKeys, ensureNetworks, type ExistingNetwork, type NetworkCalls, planNetworks, removeNetworks } from "./networks.ts";

interface InspectedNetwork {
  readonly IPAM?: { readonly Config?: readonly { readonly Gateway?: string }[] | null } | null;
}

interface ListedNetwork {
  readonly Id: string;
  readonly Name: string;
  readonly Driver: string;
  readonly Internal: boolean;
  readonly Options?: Readonly<Record<string, string>> | null;
}

/** An agent's two networks on a Docker engine, and the rules around them. */
export interface DockerNetworks {
  readonly ensure: () => Promise<BridgeGateways>;
  /** Ports of the host that instances may reach, in place of those before. */
  readonly allowHostPorts: (ports: readonly HostPort[]) => Promise<void>;
  readonly remove: () => Promise<void>;
  /** The host's address on one of the networks; empty when it has none. Asked of the engine once. */
  readonly gatewayOf: (networkName: string) => Promise<string>;
  /** What people should know: protection that this host does not allow. */
  readonly warnings: readonly string[];
}

/** Joins networks and firewall: rules before bridges and after them, so that no instance is ever on an unguarded one. */
export function createDockerNetworks({ agentId, api, firewall, log }: { agentId: string; api: DockerApi; firewall: Firewall; log: Logger | undefined }): DockerNetworks {
  const calls = networkCalls(agentId, api);
  let warning: string | undefined;
  let underWay: Promise<unknown> = Promise.resolve();
  const gateways = new Map<string, string>();

  /** One at a time, in order: two halves of two runs would undo each other. */
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const turn = underWay.then(step, step);
    underWay = turn;
    return turn;
  };

  const guard = async () => {
    const before = warning;
    warning = await firewall.apply();
    if (warning !== undefined && warning !== before) log?.warn({ warning }, "instances are not kept off this host");
  };
  const gatewayOf = async (networkName: string): Promise<string> => {
    const known = gateways.get(networkName);
    if (known !== undefined) return known;
    const network = await api.call<InspectedNetwork>(`Cannot inspect network "${networkName}"`, { method: "GET", path: `/networks/${encodeURIComponent(networkName)}` });
    const gateway = network.IPAM?.Config?.[0]?.Gateway ?? "";
    gateways.set(networkName, gateway);
    return gateway;
  };

  return {
    ensure: () =>
      inTurn(async () => {
        await guard();
        gateways.clear();
        await ensureNetworks(agentId, calls);
        const { internal, internet } = planNetworks(agentId);
        return { internal: await gatewayOf(internal.name), internet: await gatewayOf(internet.name) };
      }),
    allowHostPorts: (ports) =>
      inTurn(async () => {
        firewall.open(ports);
        await guard();
      }),
    remove: () =>
      inTurn(async () => {
        await removeNetworks(calls);
        await firewall.remove();
      }),
    gatewayOf,
    get warnings() {
      return warning === undefined ? [] : [warning];
    },
  };
}

function networkCalls(agentId: string, api: DockerApi): NetworkCalls {
  const owned = [`${labelKeys.agent}=${agentId}`];
  return {
    async listOwned() {
      const query = { filters: JSON.stringify({ label: owned }) };
      return (await api.call<ListedNetwork[]>("Cannot list networks", { method: "GET", path: "/networks", query })).map(existingNetwork);
    },
    async create({ name, internal, options, labels }) {
      const body = { Name: name, CheckDuplicate: true, Driver: "bridge", Internal: internal, Options: options, Labels: labels };
      await api.call(`Cannot create network "${name}"`, { method: "POST", path: "/networks/create", body }, callLimits.workMs);
    },
    async remove(id) {
      await api.call(`Cannot remove network "${id}"`, { method: "DELETE", path: `/networks/${encodeURIComponent(id)}` }, callLimits.workMs);
    },
    async removeContainersOn({ id, name }) {
      const query = { all: true, filters: JSON.stringify({ label: owned, network: [id] }) };
      const connected = await api.call<{ Id: string }[]>(`Cannot list containers of network "${name}"`, { method: "GET", path: "/containers/json", query });
      for (const container of connected) await removeContainer(api, container.Id);
    },
  };
}

function existingNetwork({ Id, Name, Driver, Internal, Options }: ListedNetwork): ExistingNetwork {
  return {
    id: Id,
    name: Name,
    driver: Driver,
    bridge: Options?.[bridgeOptionKeys.name] ?? "",
    internal: Internal,
    isolatesContainers: Options?.[bridgeOptionKeys.icc] === "false",
  };
}
