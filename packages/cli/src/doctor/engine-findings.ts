import { fail, type Finding, isAtLeast, ok, readVersion, warn } from "./finding.ts";

/** What an engine says of itself: the parts of its `/info` that matter here, and its version. */
export interface EngineFacts {
  readonly version: string;
  readonly cgroupVersion: string;
  readonly hasMemoryLimit: boolean;
  readonly hasSwapLimit: boolean;
  readonly hasPidsLimit: boolean;
  readonly hasCpuQuota: boolean;
  /** `name=seccomp,profile=default`, `name=rootless` … */
  readonly securityOptions: readonly string[];
}

const install = "install Docker 20.10 or newer and start it; DOCKER_HOST names an engine elsewhere than /var/run/docker.sock";

/** Looks at the container engine; a text is why it does not answer. */
export function judgeEngine(engine: EngineFacts | string): readonly Finding[] {
  if (typeof engine === "string") return [fail("engine", engine, install)];
  const version = readVersion(engine.version);
  const isRootless = engine.securityOptions.some((option) => option.includes("name=rootless"));
  return [
    version !== undefined && isAtLeast(version, [20, 10]) ? ok("engine", engine.version) : fail("engine", engine.version, install),
    ...(isRootless ? [fail("engine mode", "rootless", "agents need an engine that runs as root: rootless ones cannot set up their networks")] : []),
    ...judgeControllers(engine),
    engine.securityOptions.some((option) => option.includes("name=seccomp"))
      ? ok("seccomp", "on")
      : fail("seccomp", "off", "use a kernel and engine with seccomp: images run locked down by it"),
  ];
}

function judgeControllers(engine: EngineFacts): readonly Finding[] {
  const name = "cgroup";
  const missing = [
    ...(engine.hasMemoryLimit ? [] : ["memory"]),
    ...(engine.hasPidsLimit ? [] : ["pids"]),
    ...(engine.hasCpuQuota ? [] : ["cpu"]),
  ];
  if (missing.length > 0) {
    const mend = "boot with cgroup_enable=memory, or delegate the controllers: without limits one image could take the host down";
    return [fail(name, `version ${engine.cgroupVersion} without ${missing.join(", ")}`, mend)];
  }
  if (!engine.hasSwapLimit) return [warn(name, `version ${engine.cgroupVersion} without swap accounting`, "boot with swapaccount=1, or turn swap off: an instance could use swap beyond its memory")];
  return [ok(name, `version ${engine.cgroupVersion} with memory, swap, pids and cpu`)];
}
