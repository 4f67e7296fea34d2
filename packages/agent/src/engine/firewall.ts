import { execFile } from "node:child_process";

/** Runs a program to its end. `missing` when there is no such program. */
export type RunProgram = (program: string, args: readonly string[], input?: string) => Promise<{ readonly exitCode: number | "missing"; readonly stderr: string }>;

/** A TCP port of the host that instances may reach; without an address on every one of the host's. */
export interface HostPort {
  readonly address?: string;
  readonly port: number;
}

/** Which interfaces are guarded, and what stays open through them. */
export interface FirewallPlan {
  /** Eight hex digits that name this agent's chains. */
  readonly hash: string;
  readonly bridges: readonly string[];
  readonly open: readonly HostPort[];
}

export interface Firewall {
  /** Puts the rules in place as a whole; resolves with what people should know when it cannot. Idempotent. */
  apply(): Promise<string | undefined>;
  /** Opens these ports in place of those that were; takes effect with the next {@link apply}. */
  open(ports: readonly HostPort[]): void;
  /** Takes away what {@link apply} made, and nothing else. Idempotent. */
  remove(): Promise<void>;
}

/**
 * Where clouds serve an instance's credentials and configuration: link-local (AWS, Google, Azure, OpenStack …), Azure's wire server,
 * Alibaba, Oracle Classic. Name servers live at some of the same addresses, so that port 53 stays open.
 */
const metadataAddresses = ["169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32"];

/** Waits for another program's lock on the tables instead of failing. */
const waitForLock = ["-w", "10"];

/**
 * Keeps instances off the host and off metadata addresses. A rule in DOCKER-USER does not stop container-to-host traffic, since that is
 * never forwarded: it takes a rule in INPUT on the bridge, which covers every address of the host at once.
 */
export function createFirewall(plan: FirewallPlan, run: RunProgram = runProgram): Firewall {
  const chains = chainNames(plan.hash);
  let { open } = plan;
  const iptables = async (...args: string[]) => (await run("iptables", [...waitForLock, ...args])).exitCode === 0;

  const jumps = (from: string, to: string) => plan.bridges.map((bridge) => [from, "-i", bridge, "-j", to]);
  /** Rules that an operator adds for containers go to DOCKER-USER, which engines leave alone and reach first. */
  const forwardChain = async () => ((await iptables("-n", "-L", "DOCKER-USER")) ? "DOCKER-USER" : "FORWARD");

  return {
    open(ports) {
      open = ports;
    },
    async apply() {
      const restored = await run("iptables-restore", ["--noflush", ...waitForLock], rulesText({ ...plan, open }));
      if (restored.exitCode !== 0) return warning(restored.exitCode, restored.stderr);
      for (const jump of [...jumps("INPUT", chains.host), ...jumps(await forwardChain(), chains.metadata)]) {
        const inPlace = (await iptables("-C", ...jump)) || (await iptables("-I", ...jump));
        if (!inPlace) return warning(1, `Cannot add a rule to ${jump[0] ?? ""}`);
      }
      return undefined;
    },
    async remove() {
      for (const jump of [...jumps("INPUT", chains.host), ...jumps("DOCKER-USER", chains.metadata), ...jumps("FORWARD", chains.metadata)]) {
        while (await iptables("-D", ...jump));
      }
      for (const chain of Object.values(chains)) {
        if (await iptables("-F", chain)) await iptables("-X", chain);
      }
    },
  };
}

/** Chain names have at most 28 characters. */
export function chainNames(hash: string) {
  return { host: `LONGSHORE-${hash}`, metadata: `LONGSHORE-${hash}-META` };
}

/** Both chains whole, as `iptables-restore` replaces them in one step. */
export function rulesText({ hash, open }: FirewallPlan): string {
  const { host, metadata } = chainNames(hash);
  return [
    "*filter",
    `:${host} - [0:0]`,
    `:${metadata} - [0:0]`,
    `-A ${host} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    ...open.map(({ address, port }) => `-A ${host} ${address === undefined ? "" : `-d ${address}/32 `}-p tcp -m tcp --dport ${port} -j ACCEPT`),
    `-A ${host} -j DROP`,
    ...["udp", "tcp"].map((protocol) => `-A ${metadata} -p ${protocol} -m ${protocol} --dport 53 -j RETURN`),
    ...metadataAddresses.map((address) => `-A ${metadata} -d ${address} -j DROP`),
    "COMMIT",
    "",
  ].join("\n");
}

function warning(exitCode: number | "missing", stderr: string): string {
  const cause = exitCode === "missing" ? "iptables is not installed" : (stderr.trim().split("\n")[0] ?? "").slice(0, 200);
  return `Instances can reach this host and its cloud's metadata address: ${cause}`;
}

const runProgram: RunProgram = (program, args, input) =>
  new Promise((resolve) => {
    const child = execFile(program, [...args], { timeout: 30_000 }, (error, _stdout, stderr) => {
      if (error === null) resolve({ exitCode: 0, stderr });
      else if (typeof error.code === "number") resolve({ exitCode: error.code, stderr });
      else resolve({ exitCode: error.code === "ENOENT" ? "missing" : 1, stderr: stderr || error.message });
    });
    child.stdin?.on("error", () => {});
    child.stdin?.end(input ?? "");
  });
