import Docker from "dockerode";
import type { Logger } from "../log.ts";
import { directRegistries, type Registries } from "../registries/registries.ts";
import { createAttachment } from "./attachment.ts";
import { containerOptions } from "./container-options.ts";
import { containerAddress, containerState, type InspectedContainer, type ListedContainer, ownedContainer } from "./container-state.ts";
import { callLimits, containerPath, createDockerApi } from "./docker-api.ts";
import { createDiskSpaceReader, describeEngine } from "./docker-description.ts";
import { createDockerImages } from "./docker-images.ts";
import { createDockerNetworks } from "./docker-networks.ts";
import { removeContainer } from "./docker-removal.ts";
import { waitFor } from "./docker-wait.ts";
import { type ContainerId, type ContainerState, type Engine, EngineError } from "./engine.ts";
import { watchedActions, watchEvents } from "./events.ts";
import { waitExit } from "./exit.ts";
import { isNotFound } from "./failure.ts";
import { createFirewall } from "./firewall.ts";
import { readJsonLines } from "./json-lines.ts";
import { labelKeys } from "./labels.ts";
import { agentHash, planNetworks } from "./networks.ts";

export interface DockerEngineOptions {
  /** Whose containers and networks these are: everything made carries it, nothing without it is touched. */
  readonly agentId: string;
  /** Where the engine listens, `unix:///…` or `tcp://host:port`; default what DOCKER_HOST names, else the usual socket. */
  readonly host?: string | undefined;
  readonly log?: Logger | undefined;
  /** How registries are reached; default: as the engine does by itself. */
  readonly registries?: Registries | undefined;
  /** A pull of which nothing is heard for that long fails. */
  readonly pullSilenceMs?: number | undefined;
  readonly networks?: {
    /** Ports of the host that instances may reach. */
    readonly allowTcpPorts?: readonly number[];
  };
}

/** The engine behind Docker's API (20.10 and newer). No I/O until a method is called. */
export function createDockerEngine({ agentId, host, log, networks: networkOptions, registries, pullSilenceMs }: DockerEngineOptions): Engine {
  const client = connectTo(host);
  const api = createDockerApi(client.modem);
  const planned = planNetworks(agentId);
  const firewall = createFirewall({
    hash: agentHash(agentId),
    bridges: [planned.internal.bridge, planned.internet.bridge],
    open: (networkOptions?.allowTcpPorts ?? []).map((port) => ({ port })),
  });
  const images = createDockerImages({ api, registries: registries ?? directRegistries(), architecture: async () => (await describeEngine(api)).architecture, pullSilenceMs });
  const networks = createDockerNetworks({ agentId, api, firewall, log });
  const ownedQuery = { filters: JSON.stringify({ label: [`${labelKeys.agent}=${agentId}`] }), all: true };

  const inspect = async (id: ContainerId): Promise<InspectedContainer | undefined> => {
    try {
      return await api.call<InspectedContainer>(`Cannot inspect container "${id}"`, { method: "GET", path: containerPath(id, "json") });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };
  const inspectState = async (id: ContainerId): Promise<ContainerState | undefined> => {
    const inspected = await inspect(id);
    return inspected === undefined ? undefined : containerState(inspected);
  };
  const listOwned = async () => (await api.call<ListedContainer[]>("Cannot list containers", { method: "GET", path: "/containers/json", query: ownedQuery })).map(ownedContainer);

  /** An engine refuses what is so already, by a status that tells little. */
  const suspend = async (id: ContainerId, action: "pause" | "unpause"): Promise<void> => {
    try {
      await api.call(`Cannot ${action} container "${id}"`, { method: "POST", path: containerPath(id, action) });
    } catch (error) {
      if (error instanceof EngineError && error.failure === "unreachable") throw error;
      const inspected = await inspect(id);
      if (inspected?.State.Running !== true || (inspected.State.Paused === true) !== (action === "pause")) throw error;
    }
  };

  return {
    describe: async () => ({ ...(await describeEngine(api)), warnings: networks.warnings }),
    inspectImage: images.inspect,
    pullImage: images.pull,
    listImages: images.list,
    removeImage: images.remove,
    diskSpace: createDiskSpaceReader(api),
    ensureNetworks: networks.ensure,
    allowHostPorts: networks.allowHostPorts,
    removeNetworks: networks.remove,
    inspectContainer: inspectState,
    listOwned,

    async createContainer(spec) {
      const networkName = planned[spec.network === "none" ? "internal" : "internet"].name;
      const { name, ...body } = containerOptions(spec, { agentId, networkName });
      const request = { method: "POST", path: "/containers/create", query: { name }, body } as const;
      const created = await api.call<{ Id: string; Warnings?: readonly string[] | null }>(`Cannot create container "${name}"`, request, callLimits.workMs);
      if (created.Warnings?.length) log?.debug({ containerId: created.Id, warnings: created.Warnings }, "engine warned about a container");
      return created.Id as ContainerId;
    },

    async attach(id, { stdin }) {
      const query = { stream: true, stdin, stdout: true, stderr: true };
      return createAttachment(await api.hijack(`Cannot attach to container "${id}"`, { method: "POST", path: containerPath(id, "attach"), query }));
    },

    async startContainer(id) {
      await api.call(`Cannot start container "${id}"`, { method: "POST", path: containerPath(id, "start") }, callLimits.workMs);
      const inspected = await inspect(id);
      if (inspected === undefined) throw new EngineError("not_found", 404, `Cannot start container "${id}": it was removed while it started`);
      return containerAddress(inspected, networks.gatewayOf);
    },

    waitExit: (id) => waitExit({ wait: () => waitFor(api, id, "not-running"), inspect: () => inspectState(id) }),

    async signal(id, signal) {
      try {
        await api.call(`Cannot send ${signal} to container "${id}"`, { method: "POST", path: containerPath(id, "kill"), query: { signal } });
      } catch (error) {
        // `conflict`: not running.
        if (!(error instanceof EngineError && (error.failure === "not_found" || error.failure === "conflict"))) throw error;
      }
    },

    pauseContainer: (id) => suspend(id, "pause"),
    resumeContainer: (id) => suspend(id, "unpause"),

    removeContainer: (id) => removeContainer(api, id),

    watch: (handler) =>
      watchEvents(
        {
          list: listOwned,
          async open({ sinceMs, signal }) {
            const filters = JSON.stringify({ type: ["container"], label: [`${labelKeys.agent}=${agentId}`], event: watchedActions });
            const query = { filters, ...(sinceMs !== undefined && { since: (sinceMs / 1000).toFixed(3) }) };
            return readJsonLines(await api.stream("Cannot watch events", { method: "GET", path: "/events", query }, signal));
          },
        },
        handler,
        log,
      ),
  };
}

function connectTo(host: string | undefined): Docker {
  if (host === undefined) return new Docker();
  const url = new URL(host);
  if (url.protocol === "tcp:") return new Docker({ host: url.hostname, port: url.port || "2375", protocol: "http" });
  // A host from DOCKER_HOST would win over the socket.
  return new Docker({ socketPath: decodeURIComponent(url.pathname), host: undefined, protocol: "http" });
}
