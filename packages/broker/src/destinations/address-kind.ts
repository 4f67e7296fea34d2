import { BlockList, isIP } from "node:net";

/** Addresses that a webhook must not reach unless the operator allows it, by what they are for (IANA's special-purpose registries, RFC 6890). */
const ranges = {
  unspecified: ["0.0.0.0/8", "::/128"],
  loopback: ["127.0.0.0/8", "::1/128"],
  private: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  shared: ["100.64.0.0/10"],
  multicast: ["224.0.0.0/4", "ff00::/8"],
  /** Answers inside Azure's machines only, though it is of a public range. */
  metadata: ["168.63.129.16/32"],
  reserved: [
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
    // Teredo, ORCHID, benchmarks; documentation.
    "2001::/23", "2001:db8::/32", "3fff::/20",
  ],
} as const;

/** What an address is for; `public`: for everybody. */
export type AddressKind = keyof typeof ranges | "public";

const listOf = new Map(Object.entries(ranges).map(([kind, cidrs]) => [kind as keyof typeof ranges, createBlockList(cidrs)]));

/** Outside of it nothing of IPv6 is reached by everybody. */
const globalUnicast = createBlockList(["2000::/3"]);
/** Where the 32 bits of an IPv4 address stand in an IPv6 one that is carried on to it: mapped, translated, NAT64, 6to4. */
const embeddings = [
  { list: createBlockList(["::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96"]), group: 6 },
  { list: createBlockList(["2002::/16"]), group: 1 },
];

/** Tells what an address is for. A form that stands for an IPv4 address is what that address is; whatever is not known to be public is `reserved`. */
export function kindOfAddress(address: string): AddressKind {
  const plain = withoutZone(address);
  const version = isIP(plain);
  if (version === 0) return "reserved";
  if (version === 6) {
    const embedded = embeddedAddress(plain);
    if (embedded !== undefined) return kindOfAddress(embedded);
  }
  for (const [kind, list] of listOf) if (isListed(list, plain)) return kind;
  return version === 4 || isListed(globalUnicast, plain) ? "public" : "reserved";
}

/** A list of CIDRs that are known to be well-formed. */
export function createBlockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [network = "", bits = ""] = cidr.split("/");
    list.addSubnet(network, Number(bits), isIP(network) === 6 ? "ipv6" : "ipv4");
  }
  return list;
}

/** Whether an address (no zone) is in a list; a mapped IPv4 address (`::ffff:…`) is in those of IPv4. */
export function isListed(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/** `fe80::1%eth0` without its zone. */
export function withoutZone(address: string): string {
  return address.split("%", 1)[0] ?? "";
}

/** The IPv4 address that an IPv6 one stands for, where it does. */
function embeddedAddress(address: string): string | undefined {
  const group = embeddings.find(({ list }) => list.check(address, "ipv6"))?.group;
  if (group === undefined) return undefined;
  const groups = groupsOf(address);
  const [high, low] = [groups[group] ?? 0, groups[group + 1] ?? 0];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join(".");
}

/** The eight groups of an IPv6 address; a URL's host is its one spelling. */
function groupsOf(address: string): number[] {
  const spelt = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [left = [], right = []] = spelt.split("::").map((half) => half.split(":").filter((text) => text !== "").map((text) => Number.parseInt(text, 16)));
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right];
}
