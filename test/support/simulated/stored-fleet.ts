import { type AgentAddress, type FunctionDocument, functionDocumentSchema, resolveFunction, type TenantId } from "@longshore/protocol";
import type { Store } from "../../../packages/broker/src/bus/bus.ts";
import { Agents } from "../../../packages/broker/src/identity/agents.ts";
import { createNkey } from "../../../packages/broker/src/identity/nkey.ts";
import { Sites } from "../../../packages/broker/src/identity/sites.ts";
import { Registry } from "../../../packages/broker/src/registry/registry.ts";
import { silentLog } from "../silent-log.ts";
import { address } from "../nats.ts";

/** So many writes are under way at once. */
const lanes = 64;

/** Names for so many agents, turn by turn at each of the sites. */
export function addressesOf(count: number, sites: readonly string[]): AgentAddress[] {
  return Array.from({ length: count }, (_, at) => address(sites[at % sites.length] ?? "plant", `a${String(at).padStart(5, "0")}`));
}

/** Has agents and their sites joined, as brokers will find them; no host trades a token for it. */
export async function storeAgents(store: Store, addresses: readonly AgentAddress[]): Promise<void> {
  const [agents, sites] = [new Agents(store, silentLog), new Sites(store, silentLog)];
  await Promise.all([agents.start(), sites.start()]);
  for (const siteId of new Set(addresses.map((each) => each.siteId))) await sites.ensure(siteId, undefined);
  const { publicKey } = createNkey("user");
  const joinedAt = new Date().toISOString();
  await inLanes(addresses, (each) => agents.documents.create(each.agentId, { ...each, labels: {}, publicKey, joinedAt, issuedAt: joinedAt, cordoned: false, revoked: false }));
  agents.close();
  sites.close();
}

/** Has functions deployed whose images are wherever they are wanted; nobody looks at them. */
export async function storeFunctions(store: Store, documents: readonly FunctionDocument[], tenantId = "default"): Promise<void> {
  const registry = new Registry({ store, log: silentLog });
  await registry.start();
  await inLanes(documents, (document) => {
    const full = functionDocumentSchema.parse({ contract: "http", ...document });
    const image = { reference: full.image, digest: `sha256:${"5".repeat(64)}`, local: false, architecture: "amd64", sizeBytes: 1, entrypoint: ["/app"], command: [], exposedPorts: [8080] };
    return registry.put({ tenantId: tenantId as TenantId, spec: resolveFunction(full, "http"), image }, new Date());
  });
  registry.close();
}

async function inLanes<T>(all: readonly T[], act: (each: T) => Promise<unknown>): Promise<void> {
  const left = all[Symbol.iterator]();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (const each of left) await act(each);
    }),
  );
}
