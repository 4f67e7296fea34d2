import { statfs } from "node:fs/promises";
import { callLimits, type DockerApi } from "./docker-api.ts";
import type { DiskSpace, EngineDescription } from "./engine.ts";
import { architectureName } from "./image-facts.ts";

interface EngineInfo {
  readonly ServerVersion: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly Name: string;
  readonly KernelVersion: string;
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly DockerRootDir: string;
}

interface EngineVersion {
  readonly Components?: readonly { readonly Name: string }[] | null;
}

/** Asks an engine who it is and what its host has. */
export async function describeEngine(api: DockerApi): Promise<EngineDescription> {
  const action = "Cannot ask the engine who it is";
  const [info, version] = await Promise.all([
    api.call<EngineInfo>(action, { method: "GET", path: "/info" }, callLimits.describeMs),
    api.call<EngineVersion>(action, { method: "GET", path: "/version" }, callLimits.describeMs),
  ]);
  return {
    name: version.Components?.some(({ Name }) => Name.startsWith("Podman")) ? "podman" : "docker",
    version: info.ServerVersion,
    architecture: architectureName(info.Architecture),
    cpuMillis: info.NCPU * 1000,
    memoryBytes: info.MemTotal,
    diskFreeBytes: (await spaceOf(info.DockerRootDir))?.freeBytes ?? 0,
    hostName: info.Name,
    kernel: info.KernelVersion,
    runtimes: Object.keys(info.Runtimes ?? {}),
  };
}

/** Makes the reader of the room where an engine keeps its images; where that is, the engine is asked once. */
export function createDiskSpaceReader(api: DockerApi): () => Promise<DiskSpace | undefined> {
  let folder: string | undefined;
  return async () => {
    folder ??= (await api.call<EngineInfo>("Cannot ask the engine where it keeps images", { method: "GET", path: "/info" }, callLimits.describeMs)).DockerRootDir;
    return spaceOf(folder);
  };
}

/** Undefined when this process cannot see that folder (an engine on another host, an agent in a container). */
async function spaceOf(folder: string): Promise<DiskSpace | undefined> {
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { totalBytes: blocks * bsize, freeBytes: bavail * bsize };
  } catch {
    return undefined;
  }
}
