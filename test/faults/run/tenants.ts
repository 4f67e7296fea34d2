import { randomBytes } from "node:crypto";
import type { BrokerId, TenantId } from "@longshore/protocol";
import { readClusterFolder } from "../../../packages/broker/src/bus/cluster-folder.ts";
import { createBus } from "../../../packages/broker/src/bus/nats.ts";
import { ApiKeys, defaultTenant } from "../../../packages/broker/src/identity/api-keys.ts";
import { silentLog } from "../../support/silent-log.ts";

/** Who calls, and what its payloads are known by. */
export interface Tenant {
  readonly tenantId: TenantId;
  /** Stands in all its payloads, and nowhere else. */
  readonly marker: string;
  /** How much of the load is its own. */
  readonly share: number;
  /** Absent: a caller on the machine itself is the default tenant. */
  readonly key: string | undefined;
  /** That show who calls. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Two tenants of a fleet; `busCredentials`: where brokers find how to reach the bus. */
export async function createTenants(busCredentials: string): Promise<readonly [Tenant, Tenant]> {
  const other = "other" as TenantId;
  const key = await createKey(busCredentials, other);
  return [
    { tenantId: defaultTenant, marker: newMarker(), share: 0.7, key: undefined, headers: {} },
    { tenantId: other, marker: newMarker(), share: 0.3, key, headers: { authorization: `Bearer ${key}` } },
  ];
}

const newMarker = () => `marker-${randomBytes(8).toString("hex")}`;

/** A key that brokers know from then on. */
async function createKey(busCredentials: string, tenantId: TenantId): Promise<string> {
  const { servers, core, fleet } = readClusterFolder(busCredentials);
  const bus = createBus({ brokerId: "b-harness" as BrokerId, core: { servers, credential: core }, fleet: { servers, credential: fleet }, replicas: 1, log: silentLog });
  const keys = new ApiKeys(bus.store, silentLog);
  try {
    await bus.start();
    await keys.start();
    return await keys.create(tenantId);
  } finally {
    keys.close();
    await bus.close();
  }
}
