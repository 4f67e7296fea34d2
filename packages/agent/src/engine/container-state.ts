import type { ContainerAddress, ContainerId, ContainerState, OwnedContainer } from "./engine.ts";

interface Endpoints {
  readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string; readonly Gateway?: string }>> | null;
}

/** The part of an engine's container inspection that we read. */
export interface InspectedContainer {
  readonly Id: string;
  readonly State: { readonly Running: boolean; readonly Pid: number; readonly ExitCode: number; readonly OOMKilled: boolean; readonly Error: string; readonly StartedAt: string };
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
    ip: endpointOf(NetworkSettings)?.IPAddress || undefined,
  };
}

/** Where a container that has been started can be reached; empty when it has ended already and its endpoint with it. */
export function containerAddress({ State, NetworkSettings }: InspectedContainer): ContainerAddress {
  const endpoint = endpointOf(NetworkSettings);
  return { ip: endpoint?.IPAddress ?? "", gateway: endpoint?.Gateway ?? "", pid: State.Pid };
}

/** A row of the list in our words. A paused container counts as running. */
export function ownedContainer({ Id, Names, Labels, State, NetworkSettings }: ListedContainer): OwnedContainer {
  return {
    id: Id as ContainerId,
    name: (Names?.[0] ?? "").replace(/^\//, ""),
    labels: { ...Labels },
    running: State === "running" || State === "paused",
    ip: endpointOf(NetworkSettings)?.IPAddress || undefined,
  };
}

/** Our containers have exactly one endpoint. */
function endpointOf(settings: Endpoints | null | undefined) {
  return Object.values(settings?.Networks ?? {})[0];
}

/** Engines write the zero time for what has not happened. */
function isUnstarted(state: InspectedContainer["State"]): boolean {
  return state.StartedAt.startsWith("0001-");
}
