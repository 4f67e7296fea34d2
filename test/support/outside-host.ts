import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";

/** A host beyond this one: a network namespace with addresses of its own, reached through a pair of interfaces. Needs root. */
export interface OutsideHost {
  readonly namespace: string;
  /** This machine's address as that host sees it. */
  readonly gateway: string;
  /** The words in front of a command that is to run on that host. */
  readonly prefix: readonly string[];
  /** Serves one line to whoever connects, from each of the host's addresses. */
  serve(port: number, line: string): Promise<void>;
  close(): Promise<void>;
}

/** Makes such a host with these IPv4 addresses, and this machine's routes to them. */
export function createOutsideHost(addresses: readonly string[]): OutsideHost {
  const suffix = randomBytes(3).toString("hex");
  const [namespace, near, far] = [`lst-${suffix}`, `lsn${suffix}`, `lsf${suffix}`];
  const gateway = `198.18.${randomBytes(1).readUInt8()}.1`;
  const ip = (...args: string[]) => execFileSync("ip", args);
  const inside = (...args: string[]) => ip("-n", namespace, ...args);
  const servers: ReturnType<typeof spawn>[] = [];

  ip("netns", "add", namespace);
  try {
    ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", namespace);
    ip("address", "add", `${gateway}/32`, "dev", near);
    ip("link", "set", near, "up");
    inside("link", "set", "lo", "up");
    inside("link", "set", far, "up");
    for (const address of addresses) {
      inside("address", "add", `${address}/32`, "dev", far);
      // One that was killed may have left its route.
      ip("route", "replace", `${address}/32`, "dev", near);
    }
    inside("route", "add", "default", "dev", far);
  } catch (error) {
    ip("netns", "delete", namespace);
    throw error;
  }

  return {
    namespace,
    gateway,
    prefix: ["ip", "netns", "exec", namespace],
    async serve(port, line) {
      const program = `require("net").createServer((socket) => socket.end(${JSON.stringify(line)})).listen(${port}, "0.0.0.0", () => console.log("listening"))`;
      const server = spawn("ip", ["netns", "exec", namespace, process.execPath, "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
      servers.push(server);
      await new Promise((resolve, reject) => server.stdout.once("data", resolve).once("end", () => reject(new Error(`Cannot listen on port ${port} outside`))));
    },
    async close() {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.once("exit", resolve).kill())));
      // The pair of interfaces and the routes go with the namespace.
      ip("netns", "delete", namespace);
    },
  };
}
