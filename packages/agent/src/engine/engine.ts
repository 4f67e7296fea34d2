import type { ImageFacts, PullProgress } from "@longshore/protocol";
import type { HostPort } from "./firewall.ts";

/**
 * What the agent needs of a container engine, and no more. `docker.ts` is the one implementation. Every method that fails throws
 * an {@link EngineError}; errors are classified by the engine's status, never by its text.
 */
export interface Engine {
  /** Asks the engine who it is; the way to know that it answers. */
  describe(): Promise<EngineDescription>;
  /** An image that is present, or undefined. `reference` may be a name, a digest reference or an image id. */
  inspectImage(reference: string): Promise<ImageFacts | undefined>;
  /** Brings an image and says what it is; pulls of one reference under way are shared. */
  pullImage(reference: string, options: PullOptions): Promise<ImageFacts>;
  /** Every image that is present, whoever brought it. */
  listImages(): Promise<PresentImage[]>;
  /**
   * Takes a name (a tag or digest reference) from an image, and with its last one the image; an id takes an image without a name. No
   * error when it is not there; `conflict` while a container (a stopped one too) or another image is made of it.
   */
  removeImage(reference: string): Promise<void>;
  /** The file system where the engine keeps images; undefined where this process cannot see it. */
  diskSpace(): Promise<DiskSpace | undefined>;
  /** Makes the two bridges and the rules that keep instances off the host; idempotent. Resolves with the host's addresses on them. */
  ensureNetworks(): Promise<BridgeGateways>;
  /** Instances may reach these TCP ports of the host from now on, and no others. */
  allowHostPorts(ports: readonly HostPort[]): Promise<void>;
  /** Removes what {@link ensureNetworks} made; idempotent. */
  removeNetworks(): Promise<void>;
  createContainer(spec: ContainerSpec): Promise<ContainerId>;
  /** Connects to the container's streams. Before {@link startContainer}, else output is lost. */
  attach(id: ContainerId, options: { stdin: boolean }): Promise<Attachment>;
  /** Starts it and says where it can be reached. */
  startContainer(id: ContainerId): Promise<ContainerAddress>;
  inspectContainer(id: ContainerId): Promise<ContainerState | undefined>;
  /** Resolves once the container is not running. */
  waitExit(id: ContainerId): Promise<ContainerState>;
  /** Sends a signal (`SIGTERM`, the image's `STOPSIGNAL`); no error when it is gone already. */
  signal(id: ContainerId, signal: string): Promise<void>;
  /** Stops its processes where they stand; no error when they are. */
  pauseContainer(id: ContainerId): Promise<void>;
  /** Lets them go on; no error when they do. */
  resumeContainer(id: ContainerId): Promise<void>;
  /** Kills and removes with its anonymous volumes; resolves when it is gone; no error when it is gone already. */
  removeContainer(id: ContainerId): Promise<void>;
  /** Every container that carries this agent's label, whatever its state. */
  listOwned(): Promise<OwnedContainer[]>;
  /** Events of owned containers from now on; survives the engine's restart and says when events may have been missed. */
  watch(handler: (event: EngineEvent) => void): { close(): void };
}

/** The host's addresses on the bridges of instances without and with egress; empty where the engine does not say. */
export interface BridgeGateways {
  readonly internal: string;
  readonly internet: string;
}

export type ContainerId = string & { readonly __containerId: true };

export interface EngineDescription {
  readonly name: string;
  readonly version: string;
  /** As images name it: `amd64`, `arm64`. */
  readonly architecture: string;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly diskFreeBytes: number;
  readonly hostName: string;
  readonly kernel: string;
  readonly runtimes: readonly string[];
  /** What people should know: a protection that this host does not allow. */
  readonly warnings?: readonly string[];
}

/** An image that the engine has. */
export interface PresentImage {
  readonly imageId: string;
  /** With its layers, those that it shares with others too. */
  readonly sizeBytes: number;
  /** Tags and digest references by which the engine knows it, with registry; none: it is dangling. */
  readonly names: readonly string[];
}

/** Room on a file system. */
export interface DiskSpace {
  readonly totalBytes: number;
  /** For unprivileged use: what the file system keeps for root does not count. */
  readonly freeBytes: number;
}

export interface PullOptions {
  readonly credential?: { readonly username: string; readonly password: string } | undefined;
  readonly onProgress?: ((progress: PullProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Engine options are built from this whitelist alone. */
export interface ContainerSpec {
  readonly name: string;
  /** An image id or digest reference that is present. */
  readonly image: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** Default: the image's own. */
  readonly workingDirectory?: string;
  /** `NAME=value`, over the image's own. */
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  readonly cpuMillis: number;
  readonly pidsLimit: number;
  readonly scratchBytes: number;
  readonly profile: "standard" | "strict";
  /** Where the image wants volumes: profile `strict` puts sized memory there, `standard` leaves it to the engine. */
  readonly volumes: readonly string[];
  /** One of the engine's runtimes; default: the engine's own choice. */
  readonly runtime?: string;
  readonly network: "none" | "internet" | "site";
  /** Bind mounts, always read-only. */
  readonly mounts: readonly { readonly hostPath: string; readonly containerPath: string }[];
  /** Opens stdin, closed when the first attachment ends. */
  readonly stdin: boolean;
}

/** A container's streams. Output arrives as it was written, stdout and stderr apart. */
export interface Attachment {
  /** Bytes to the container's stdin; false when the producer should wait for `onDrain`. */
  write(bytes: Uint8Array): boolean;
  /** Ends stdin; output goes on. */
  endInput(): void;
  /** At most one set of handlers; output that came before they were set is delivered first. */
  listen(handlers: AttachmentHandlers): void;
  /** Stops reading (the container's writes block once the pipe is full) and goes on. */
  pause(): void;
  resume(): void;
  close(): void;
}

export interface AttachmentHandlers {
  onStdout(bytes: Uint8Array): void;
  onStderr(bytes: Uint8Array): void;
  /** Room for more stdin. */
  onDrain?(): void;
  /** The streams ended, or broke with an error of the connection. */
  onEnd(error?: Error): void;
}

export interface ContainerAddress {
  /** The container's address on its bridge. */
  readonly ip: string;
  /** The host's address on that bridge. */
  readonly gateway: string;
  /** The container's first process, as the host sees it; 0 when unknown. */
  readonly pid: number;
}

export interface ContainerState {
  readonly running: boolean;
  readonly exitCode: number | undefined;
  /** The kernel killed a process of the container for memory. */
  readonly oomKilled: boolean;
  /** The engine's own account of a failed start. */
  readonly error: string | undefined;
  readonly ip: string | undefined;
}

export interface OwnedContainer {
  readonly id: ContainerId;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly running: boolean;
  readonly ip: string | undefined;
}

export type EngineEvent =
  | { readonly kind: "exited"; readonly id: ContainerId; readonly exitCode: number }
  | { readonly kind: "out_of_memory"; readonly id: ContainerId }
  | { readonly kind: "removed"; readonly id: ContainerId }
  /** The stream was interrupted: states must be read again. */
  | { readonly kind: "gap" };

/** Why an engine call failed, by its status; of a pull also by what the registry itself says. */
export type EngineFailure = "not_found" | "conflict" | "bad_request" | "unreachable" | "internal" | "denied" | "wrong_architecture";

/** An engine call failed. `status` is the HTTP status, 0 when the engine could not be reached. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly failure: EngineFailure;
  readonly status: number;

  constructor(failure: EngineFailure, status: number, message: string, cause?: unknown) {
    super(message, { cause });
    this.failure = failure;
    this.status = status;
  }
}
