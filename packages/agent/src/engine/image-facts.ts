import type { ImageFacts } from "@longshore/protocol";
import { configFaults } from "./config-faults.ts";
import { digestReferenceOf, isAlias } from "./relayed-names.ts";

/** The part of an engine's image inspection that a revision needs. Engines leave out or null what an image does not set. */
export interface InspectedImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Architecture?: string;
  readonly Size?: number;
  readonly Config?: {
    readonly Entrypoint?: readonly string[] | string | null;
    readonly Cmd?: readonly string[] | string | null;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
    readonly Volumes?: Readonly<Record<string, unknown>> | null;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly User?: string;
    readonly WorkingDir?: string;
    readonly StopSignal?: string;
  } | null;
}

/** An image as the engine describes it, in our words. */
export function imageFacts({ Id, RepoTags, RepoDigests, Architecture, Size, Config }: InspectedImage): ImageFacts {
  return {
    imageId: Id,
    repositoryDigests: repositoryDigests(RepoTags ?? [], RepoDigests ?? []),
    architecture: architectureName(Architecture ?? ""),
    sizeBytes: Size ?? 0,
    entrypoint: argumentList(Config?.Entrypoint),
    command: argumentList(Config?.Cmd),
    exposedPorts: tcpPorts(Object.keys(Config?.ExposedPorts ?? {})),
    volumes: Object.keys(Config?.Volumes ?? {}).sort(),
    env: [...(Config?.Env ?? [])],
    labels: { ...Config?.Labels },
    user: Config?.User ?? "",
    workingDirectory: Config?.WorkingDir ?? "",
    ...(Config?.StopSignal && { stopSignal: Config.StopSignal }),
    faults: configFaults(Config ?? {}),
  };
}

/** Those that the engine knows, and those that our tags stand for. */
function repositoryDigests(tags: readonly string[], digests: readonly string[]): string[] {
  return [...new Set([...digests.filter((name) => !isAlias(name)), ...tags.flatMap((name) => digestReferenceOf(name) ?? [])])];
}

const architectureNames: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** An architecture as images name it, from the kernel's name or an image's own. */
export function architectureName(name: string): string {
  return architectureNames[name] ?? name;
}

function argumentList(value: readonly string[] | string | null | undefined): string[] {
  return typeof value === "string" ? [value] : [...(value ?? [])];
}

function tcpPorts(names: readonly string[]): number[] {
  const ports = names.map((name) => name.split("/")).flatMap(([port, protocol]) => ((protocol ?? "tcp") === "tcp" ? [Number(port)] : []));
  return ports.filter((port) => Number.isInteger(port)).sort((a, b) => a - b);
}
