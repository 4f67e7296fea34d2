import type { ArrangedHistory } from "../arrange.ts";
import { type Verdict, verdictOf } from "../verdict.ts";

/** I10: whatever a tenant could read bore no marker but its own. */
export function checkIsolation(history: ArrangedHistory): Verdict {
  const tenants = new Map(Object.entries(history.opened?.tenants ?? {}).map(([tenantId, marker]) => [marker, tenantId]));
  return verdictOf("I10", history.of("markers_seen"), (seen) => {
    const foreign = seen.markers.map((marker) => tenants.get(marker)).find((tenantId) => tenantId !== undefined && tenantId !== seen.tenantId);
    return foreign === undefined ? undefined : { invocationId: seen.invocationId, sentence: `Tenant "${seen.tenantId}" saw the marker of tenant "${foreign}" in ${seen.where}`, events: [seen] };
  });
}
