import type { ContainerAddress, ContainerId, ContainerState, OwnedContainer } from "./engine.ts";

interface Endpoints {
  readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string; readonly Gateway?: string }>> | null;
}

/** The part of an engine's container inspection that we read. */
export interface InspectedContainer {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly Paused?: boolean; readonly Pid: number; readonly ExitCode: number; readonly OOMKilled: boolean; readonly Error: string; readonly StartedAt: string };
  readonly NetworkSettings?: Endpoints | null;
}

/** One row of an engine's container list. */
export interface ListedContainer {
  readonly Id: string;
  readonly Names?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly State: string;
  readonly NetworkSettings?: Endpoints | null;
}

/** A container's state in our words. */
export function containerState({ State, NetworkSettings }: InspectedContainer): ContainerState {
  return {
    running: State.Running,
    exitCode: State.Running || isUnstarted(State) ? undefined : State.ExitCode,
    oomKilled: State.OOMKilled,
    error: State.Error === "" ? undefined : State.Error,
    ip: State.Running ? addressOf(NetworkSettings) : undefined,
  };
}

/**
 * Where a container that has been started can be reached; empty when it has ended already and its endpoint with it. Engines from 28 on
 * name no gateway on an internal network, though the host has its address there all the same: `gatewayOf` the network says it.
 */
export async function containerAddress({ State, NetworkSettings }: InspectedContainer, gatewayOf: (networkName: string) => Promise<string>): Promise<ContainerAddress> {
  const [networkName, endpoint] = Object.entries(NetworkSettings?.Networks ?? {})[0] ?? [];
  const ip = endpoint?.IPAddress ?? "";
  const isUnnamed = ip !== "" && networkName !== undefined && !endpoint?.Gateway;
  return { ip, gateway: isUnnamed ? await gatewayOf(networkName) : (endpoint?.Gateway ?? ""), pid: State.Pid };
}

/** A row of the list in our words. A paused container counts as running. */
export function ownedContainer({ Id, Names, Labels, State, NetworkSettings }: ListedContainer): OwnedContainer {
  const running = State === "running" || State === "paused";
  return {
    id: Id as ContainerId,
    name: (Names?.[0] ?? "").replace(/^\//, ""),
    labels: { ...Labels },
    running,
    // An engine that was killed and came back still lists the addresses of what ended meanwhile.
    ip: running ? addressOf(NetworkSettings) : undefined,
  };
}

/** Our containers have exactly one endpoint. */
function addressOf(settings: Endpoints | null | undefined): string | undefined {
  return Object.values(settings?.Networks ?? {})[0]?.IPAddress || undefined;
}

/** Engines write the zero time for what has not happened. */
function isUnstarted(state: InspectedContainer["State"]): boolean {
  return state.StartedAt.startsWith("0001-");
}
