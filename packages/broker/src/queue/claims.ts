import type { InvocationId, Revision, TenantId } from "@longshore/protocol";
import type { Placement } from "../placement/placement.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";

interface Claim {
  readonly agent: AgentEntry;
  readonly revision: Revision;
}

/** The slots that this broker's attempts take at agents, until each is known to be over. */
export class Claims {
  readonly #placement: Pick<Placement, "took" | "released">;
  readonly #claims = new Map<string, Claim>();

  constructor(placement: Pick<Placement, "took" | "released">) {
    this.#placement = placement;
  }

  /** How many attempts are with agents, by this broker's own sending. */
  get size(): number {
    return this.#claims.size;
  }

  take(tenantId: TenantId, invocationId: InvocationId, agent: AgentEntry, revision: Revision): void {
    this.release(tenantId, invocationId, false);
    this.#claims.set(`${tenantId}.${invocationId}`, { agent, revision });
    this.#placement.took(agent, revision);
  }

  /** It is over there, or was never begun; false: it was not this broker's. `beganInstance`: an instance was begun for it, and has room now. */
  release(tenantId: TenantId, invocationId: InvocationId, beganInstance: boolean): boolean {
    const claim = this.#claims.get(`${tenantId}.${invocationId}`);
    if (claim === undefined) return false;
    this.#claims.delete(`${tenantId}.${invocationId}`);
    this.#placement.released(claim.agent, claim.revision, beganInstance);
    return true;
  }
}
