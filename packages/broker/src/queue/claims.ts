import type { FunctionName, InvocationId, Revision, TenantId } from "@longshore/protocol";
import type { QueuedInvocation, QueueEntry } from "../bus/queue-store.ts";
import type { Placement } from "../placement/placement.ts";
import type { AgentEntry } from "../roster/agent-entry.ts";

interface Claim {
  readonly agent: AgentEntry;
  readonly revision: Revision;
  /** As it was claimed, once it is on disk. */
  queued: QueuedInvocation | undefined;
}

export interface ClaimsOptions {
  readonly placement: Pick<Placement, "took" | "released">;
  /** An attempt of that function takes no slot any more. */
  readonly released: (which: { readonly tenantId: TenantId; readonly functionName: FunctionName }) => void;
}

/** A longer body is read again when its attempt ends: thousands may be under way. */
const mostKeptBytes = 4096;

/** The slots that this broker's attempts take at agents, until each is known to be over. */
export class Claims {
  readonly #options: ClaimsOptions;
  readonly #claims = new Map<string, Claim>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** How many attempts are with agents, by this broker's own sending. */
  get size(): number {
    return this.#claims.size;
  }

  take(tenantId: TenantId, invocationId: InvocationId, agent: AgentEntry, revision: Revision): void {
    this.#drop(tenantId, invocationId, false);
    this.#claims.set(`${tenantId}.${invocationId}`, { agent, revision, queued: undefined });
    this.#options.placement.took(agent, revision);
  }

  /** The claim is on disk. */
  stored(queued: QueuedInvocation): void {
    const claim = this.#claims.get(`${queued.tenantId}.${queued.invocationId}`);
    if (claim !== undefined && queued.body.length <= mostKeptBytes) claim.queued = queued;
  }

  /** What this broker has with an agent; undefined where it was changed since, or is another broker's. */
  find(tenantId: TenantId, invocationId: InvocationId): QueuedInvocation | undefined {
    return this.#claims.get(`${tenantId}.${invocationId}`)?.queued;
  }

  /** Somebody has written to it since: it must be read. */
  changed(entry: QueueEntry): void {
    const claim = this.#claims.get(`${entry.tenantId}.${entry.invocationId}`);
    if (claim?.queued !== undefined && claim.queued.sequence !== entry.sequence) claim.queued = undefined;
  }

  /** It is over there, or was never begun; of what is not this broker's nothing comes. `beganInstance`: an instance was begun for it, and has room now. */
  release(tenantId: TenantId, invocationId: InvocationId, beganInstance: boolean): void {
    const claim = this.#drop(tenantId, invocationId, beganInstance);
    if (claim !== undefined) this.#options.released({ tenantId, functionName: claim.revision.functionName });
  }

  #drop(tenantId: TenantId, invocationId: InvocationId, beganInstance: boolean): Claim | undefined {
    const claim = this.#claims.get(`${tenantId}.${invocationId}`);
    if (claim === undefined) return undefined;
    this.#claims.delete(`${tenantId}.${invocationId}`);
    this.#options.placement.released(claim.agent, claim.revision, beganInstance);
    return claim;
  }
}
