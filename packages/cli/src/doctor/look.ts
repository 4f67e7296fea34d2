import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { freemem, release } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type DurabilityView, healthSchema } from "@longshore/protocol";
import type { EngineFacts } from "./engine-findings.ts";
import type { BrokerFacts } from "./fleet-findings.ts";
import type { HostFacts } from "./host-findings.ts";

const run = promisify(execFile);
const patienceMs = 5_000;

/** Gathers what the host says of itself; `folders` are those whose free space matters. */
export async function lookAtHost(folders: readonly string[]): Promise<HostFacts> {
  return {
    platform: process.platform,
    kernelRelease: release(),
    architecture: process.arch,
    nodeVersion: process.versions.node,
    userId: process.getuid?.(),
    memoryAvailableBytes: memoryAvailable(),
    diskFreeBytes: Object.fromEntries(await Promise.all(folders.map(async (folder) => [folder, await diskFree(folder)] as const))),
    iptablesFault: await tryIptables(),
  };
}

/** What could be had without swapping, caches included; what is plainly free where the kernel does not say. */
function memoryAvailable(): number {
  try {
    return Number(/^MemAvailable:\s+(\d+) kB/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1] ?? Number.NaN) * 1024 || freemem();
  } catch {
    return freemem();
  }
}

/** Free bytes of the file system that a folder is on, or will be. */
async function diskFree(folder: string): Promise<number> {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

async function tryIptables(): Promise<string | undefined> {
  try {
    await run("iptables", ["-w", "2", "-n", "-L", "INPUT"], { timeout: patienceMs });
    return undefined;
  } catch (error) {
    const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
    return code === "ENOENT" ? "not found" : (stderr?.trim().split("\n")[0] ?? (error as Error).message);
  }
}

/** Asks the engine at `DOCKER_HOST` or its usual socket, and where it keeps its data; a text is why it does not answer. */
export async function lookAtEngine(): Promise<{ readonly facts: EngineFacts | string; readonly dataFolder: string | undefined }> {
  try {
    const { default: Docker } = await import("dockerode");
    const info = (await new Docker({ timeout: patienceMs }).info()) as EngineInfo;
    return { facts: toFacts(info), dataFolder: info.DockerRootDir };
  } catch (error) {
    return { facts: reasonOf(error), dataFolder: undefined };
  }
}

/** The parts of the engine's `GET /info` that are read here. */
interface EngineInfo {
  readonly ServerVersion: string;
  readonly CgroupVersion?: string;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  readonly PidsLimit: boolean;
  readonly CpuCfsQuota?: boolean;
  readonly SecurityOptions?: readonly string[];
  readonly DockerRootDir?: string;
}

function toFacts(info: EngineInfo): EngineFacts {
  return {
    version: info.ServerVersion,
    cgroupVersion: info.CgroupVersion ?? "1",
    hasMemoryLimit: info.MemoryLimit,
    hasSwapLimit: info.SwapLimit,
    hasPidsLimit: info.PidsLimit,
    hasCpuQuota: info.CpuCfsQuota ?? false,
    securityOptions: info.SecurityOptions ?? [],
  };
}

/** The version line of the nats-server that would be started; undefined when there is none. */
export async function lookAtNatsServer(environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  try {
    const { stdout } = await run(environment["LONGSHORE_NATS_SERVER"] || "nats-server", ["--version"], { timeout: patienceMs });
    return stdout.trim();
  } catch {
    return undefined;
  }
}

/** Asks a broker whether it is ready; a text is why it did not answer. */
export async function lookAtBroker(url: string): Promise<BrokerFacts | string> {
  try {
    const response = await fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(patienceMs) });
    const durability = readDurability(await response.text());
    const date = Date.parse(response.headers.get("date") ?? "");
    return { status: response.status, clockAheadMs: Number.isNaN(date) ? undefined : date - Date.now(), durability };
  } catch (error) {
    return reasonOf(error);
  }
}

/** What an answer of `/readyz` says of the bus; undefined where it says nothing that this build can read. */
function readDurability(text: string): DurabilityView | undefined {
  try {
    return healthSchema.safeParse(JSON.parse(text)).data?.durability;
  } catch {
    return undefined;
  }
}

/** The innermost reason that an I/O error names. */
function reasonOf(error: unknown): string {
  const { cause, code, message } = error as { cause?: unknown; code?: string; message: string };
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOENT") return "there is no such socket";
  if (code === "EACCES") return "this user may not use it";
  return cause instanceof Error ? reasonOf(cause) : message;
}
