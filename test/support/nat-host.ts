import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

/**
 * A host behind a NAT: its own network namespace, a router in another that translates addresses and lets nothing in that was not
 * asked for from inside. Needs root and iptables.
 */
export interface NatHost {
  /** This machine's address as the host sees it. */
  readonly gateway: string;
  /** The host's own address, which nothing outside has a route to. */
  readonly address: string;
  /** The words in front of a command that is to run on that host. */
  readonly prefix: readonly string[];
  close(): void;
}

/** Makes the host, its router and the wires between them. */
export function createNatHost(): NatHost {
  const suffix = randomBytes(2).toString("hex");
  const [host, router] = [`lsh-${suffix}`, `lsr-${suffix}`];
  const outerNet = `198.18.${randomBytes(1).readUInt8()}`;
  const address = "10.213.0.2";
  const ip = (...args: string[]) => execFileSync("ip", args);
  const on = (namespace: string, ...command: string[]) => ip("netns", "exec", namespace, ...command);
  const wire = (near: { name: string; namespace?: string; address: string }, far: { name: string; namespace: string; address: string }) => {
    ip("link", "add", near.name, ...(near.namespace === undefined ? [] : ["netns", near.namespace]), "type", "veth", "peer", "name", far.name, "netns", far.namespace);
    for (const end of [near, far]) {
      const inside = end.namespace === undefined ? [] : ["-n", end.namespace];
      ip(...inside, "address", "add", `${end.address}/24`, "dev", end.name);
      ip(...inside, "link", "set", end.name, "up");
    }
  };

  for (const namespace of [host, router]) {
    ip("netns", "add", namespace);
    ip("-n", namespace, "link", "set", "lo", "up");
  }
  wire({ name: `lso${suffix}`, address: `${outerNet}.1` }, { name: "outer", namespace: router, address: `${outerNet}.2` });
  wire({ name: "inner", namespace: router, address: "10.213.0.1" }, { name: "lan", namespace: host, address });
  ip("-n", host, "route", "add", "default", "via", "10.213.0.1");
  on(router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  on(router, "iptables", "-P", "FORWARD", "DROP");
  on(router, "iptables", "-A", "FORWARD", "-i", "inner", "-o", "outer", "-j", "ACCEPT");
  on(router, "iptables", "-A", "FORWARD", "-i", "outer", "-o", "inner", "-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT");
  on(router, "iptables", "-t", "nat", "-A", "POSTROUTING", "-o", "outer", "-j", "MASQUERADE");

  return {
    gateway: `${outerNet}.1`,
    address,
    prefix: ["ip", "netns", "exec", host],
    close() {
      // The wires go with the namespaces.
      for (const namespace of [host, router]) ip("netns", "delete", namespace);
    },
  };
}
