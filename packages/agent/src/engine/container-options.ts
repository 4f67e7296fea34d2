import { posix } from "node:path";
import { labelKeys } from "./labels.ts";
import type { ContainerSpec } from "./engine.ts";

/**
 * Open files per process of an instance, soft and hard: enough for a busy server, little enough for programs that close every possible
 * one, and below what an engine may grant that itself may not go beyond its limit.
 */
const openFilesMax = 16_384;

/** Of the engine's default capabilities these are taken from everyone: raw sockets (forged addresses) and device nodes. */
const droppedCapabilities = ["NET_RAW", "MKNOD"];

/** The period over which the kernel metes out processor time; a quota of `cpuMillis` thousandths of it may exceed the host's processors. */
const cpuPeriodMicros = 100_000;

/**
 * The engine's options for a container: a function of the spec alone, so that nothing but what stands here ever reaches an engine.
 * An empty entrypoint means the image's own; an empty command the image's own if the entrypoint is the image's too.
 */
export function containerOptions(spec: ContainerSpec, owner: { agentId: string; networkName: string }) {
  return {
    name: spec.name,
    Image: spec.image,
    ...(spec.entrypoint.length > 0 && { Entrypoint: [...spec.entrypoint] }),
    ...(spec.command.length > 0 && { Cmd: [...spec.command] }),
    ...(spec.workingDirectory !== undefined && { WorkingDir: spec.workingDirectory }),
    Env: [...spec.env],
    Labels: { ...spec.labels, [labelKeys.agent]: owner.agentId, [labelKeys.fleet]: "true" },
    Tty: false,
    OpenStdin: spec.stdin,
    StdinOnce: spec.stdin,
    // Readiness is ours to find out; a check that runs every second in each idle instance costs more than the instances.
    Healthcheck: { Test: ["NONE"] },
    HostConfig: { ...resourceOptions(spec), ...confinementOptions(spec), NetworkMode: owner.networkName, ...lifeOptions },
  };
}

/** We remove containers ourselves and read their output from the attach stream. */
const lifeOptions = {
  AutoRemove: false,
  RestartPolicy: { Name: "no" },
  LogConfig: { Type: "none", Config: {} },
  Init: false,
};

function resourceOptions(spec: ContainerSpec) {
  return {
    Memory: spec.memoryBytes,
    // Equal to the memory: no swap.
    MemorySwap: spec.memoryBytes,
    CpuPeriod: cpuPeriodMicros,
    CpuQuota: Math.round((spec.cpuMillis * cpuPeriodMicros) / 1000),
    PidsLimit: spec.pidsLimit,
    Ulimits: [{ Name: "nofile", Soft: openFilesMax, Hard: openFilesMax }],
  };
}

/** guarantees.md, "Container baseline". The engine's default seccomp profile stays, since none is named. */
function confinementOptions(spec: ContainerSpec) {
  return {
    ...(spec.runtime !== undefined && { Runtime: spec.runtime }),
    Privileged: false,
    SecurityOpt: ["no-new-privileges:true"],
    IpcMode: "private",
    Mounts: spec.mounts.map(({ hostPath, containerPath }) => ({ Type: "bind" as const, Source: hostPath, Target: containerPath, ReadOnly: true })),
    ...(spec.profile === "strict" ? strictOptions(spec) : { CapDrop: [...droppedCapabilities] }),
  };
}

/** Anonymous volumes would be disk without bound, so that sized memory stands wherever the image wants one. */
function strictOptions({ volumes, scratchBytes }: ContainerSpec) {
  const places = new Set(["/tmp", ...volumes.map(placeOf)]);
  return {
    CapDrop: ["ALL"],
    ReadonlyRootfs: true,
    Tmpfs: Object.fromEntries([...places].map((place) => [place, `rw,noexec,nosuid,nodev,mode=1777,size=${scratchBytes}`])),
  };
}

/** One spelling for each place: an engine takes two for two mounts. */
function placeOf(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/, "");
}
