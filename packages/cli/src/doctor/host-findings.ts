import { formatBytes } from "../terminal/quantity.ts";
import { fail, type Finding, isAtLeast, ok, readVersion, warn } from "./finding.ts";

/** What the host says of itself. */
export interface HostFacts {
  /** `linux` */
  readonly platform: string;
  /** `6.1.0-18-amd64` */
  readonly kernelRelease: string;
  /** As Node names it: `x64`, `arm64`. */
  readonly architecture: string;
  readonly nodeVersion: string;
  /** Undefined on systems without users. */
  readonly userId: number | undefined;
  readonly memoryAvailableBytes: number;
  /** Free space by folder that we or the engine write to. */
  readonly diskFreeBytes: Readonly<Record<string, number>>;
  /** What `iptables -L INPUT` ended with: undefined when it worked. */
  readonly iptablesFault: string | undefined;
}

const mebibyte = 2 ** 20;

/** Looks at the host itself. */
export function judgeHost(facts: HostFacts): readonly Finding[] {
  return [
    judgeKernel(facts),
    judgeArchitecture(facts),
    judgeNode(facts),
    judgeUser(facts),
    judgeFirewall(facts),
    judgeMemory(facts),
    ...Object.entries(facts.diskFreeBytes).map(([folder, freeBytes]) => judgeDisk(folder, freeBytes)),
  ];
}

function judgeKernel({ platform, kernelRelease }: HostFacts): Finding {
  if (platform !== "linux") return fail("kernel", platform, "agents run on Linux; here the agent can run as a container beside its instances");
  const version = readVersion(kernelRelease);
  if (version === undefined || !isAtLeast(version, [4, 19])) return warn("kernel", `Linux ${kernelRelease}`, "kernels since 4.19 are tried; take a newer one if containers misbehave");
  return ok("kernel", `Linux ${kernelRelease}`);
}

function judgeArchitecture({ architecture }: HostFacts): Finding {
  if (architecture === "x64" || architecture === "arm64") return ok("architecture", architecture);
  return warn("architecture", architecture, "hold is built for x64 and arm64: here every cold start is a plain one");
}

function judgeNode({ nodeVersion }: HostFacts): Finding {
  return isAtLeast(readVersion(nodeVersion) ?? [0, 0], [24, 0]) ? ok("node", nodeVersion) : fail("node", nodeVersion, "install Node 24 or newer");
}

function judgeUser({ userId }: HostFacts): Finding {
  if (userId === 0) return ok("user", "root");
  return fail("user", `user ${userId ?? "unknown"}`, "run agents as root (sudo longshore …): they keep instances off the host with iptables");
}

function judgeFirewall({ iptablesFault }: HostFacts): Finding {
  if (iptablesFault === undefined) return ok("iptables", "usable");
  return fail("iptables", iptablesFault, "install iptables and run as root: without it instances could reach the host, so agents refuse to run them");
}

function judgeMemory({ memoryAvailableBytes }: HostFacts): Finding {
  const found = `${formatBytes(memoryAvailableBytes)} available`;
  if (memoryAvailableBytes >= 512 * mebibyte) return ok("memory", found);
  return warn("memory", found, "an instance takes 256MiB unless its function says otherwise: free some, or deploy with a smaller --memory");
}

function judgeDisk(folder: string, freeBytes: number): Finding {
  const found = `${formatBytes(freeBytes)} free in ${folder}`;
  if (freeBytes >= 1024 * mebibyte) return ok("disk", found);
  const mend = `free some space there (docker image prune), or point --data elsewhere`;
  return freeBytes >= 256 * mebibyte ? warn("disk", found, mend) : fail("disk", found, mend);
}
