import { isIP } from "node:net";
import { createBlockList, isListed, withoutZone } from "./address-kind.ts";

/** Hosts and addresses within the operator's own network that webhooks may reach. */
export interface AllowList {
  /** Whatever the host's name stands for. */
  allowsHost(host: string): boolean;
  allowsAddress(address: string): boolean;
}

const hostPattern = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/i;

/** Tells whether a text is a host's name, an address, or a CIDR. A name whose last part is a number would be read as an address. */
export function isAllowEntry(text: string): boolean {
  return cidrOf(text) !== undefined || (hostPattern.test(text) && !/(^|\.)(\d+|0x[0-9a-f]*)$/i.test(text));
}

/** A list of entries that {@link isAllowEntry} takes; others are no use. */
export function createAllowList(entries: readonly string[]): AllowList {
  const hosts = new Set(entries.filter((entry) => cidrOf(entry) === undefined).map(plainHost));
  const addresses = createBlockList(entries.flatMap((entry) => cidrOf(entry) ?? []));
  return {
    allowsHost: (host) => hosts.has(plainHost(host)),
    allowsAddress: (address) => isListed(addresses, withoutZone(address)),
  };
}

/** Names are alike in upper and lower case, and with a dot at their end. */
export function plainHost(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/** An address is a CIDR of its own. */
function cidrOf(text: string): string | undefined {
  const [network = "", bits, ...rest] = text.split("/");
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(network)] ?? 0;
  if (longest === 0 || network.includes("%") || rest.length > 0) return undefined;
  if (bits === undefined) return `${network}/${longest}`;
  return /^\d{1,3}$/.test(bits) && Number(bits) <= longest ? text : undefined;
}
