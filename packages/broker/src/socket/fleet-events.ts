import type { FleetEvent, TenantId } from "@longshore/protocol";

/** What those who watch the fleet are told. */
export interface FleetEvents {
  /** Every agent as it stands, as events. */
  snapshot(tenantId: TenantId): readonly FleetEvent[];
  /** Calls `handler` with each event from now on that the tenant may see, until the returned function is called. */
  subscribe(tenantId: TenantId, handler: (event: FleetEvent) => void): () => void;
}
