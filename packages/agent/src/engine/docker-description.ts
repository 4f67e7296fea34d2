import { statfs } from "node:fs/promises";
import { callLimits, type DockerApi } from "./docker-api.ts";
import type { EngineDescription } from "./engine.ts";
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
    diskFreeBytes: await freeBytes(info.DockerRootDir),
    hostName: info.Name,
    kernel: info.KernelVersion,
    runtimes: Object.keys(info.Runtimes ?? {}),
  };
}

/** Room where the engine keeps images; 0 when this process cannot see that folder (an engine on another host, an agent in a container). */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
