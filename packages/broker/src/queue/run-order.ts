import type { RegistryCredential, Revision, RunOrder } from "@longshore/protocol";
import type { QueuedInvocation } from "../bus/queue-store.ts";
import { revisionForAgents } from "../registry/revision.ts";
import { tracedRequest } from "../traces/traced-headers.ts";
import type { StoredInvocation } from "./stored-invocation.ts";

/** What an order says of one sending. */
export interface Sending {
  readonly remainingMs: number;
  /** The process of the agent that it is for: no later one begins it. */
  readonly incarnation: string;
  /** For an agent that does not know the revision: it, and what its image is pulled with. */
  readonly introduced?: { readonly credential: RegistryCredential | undefined };
}

/** The order by which an agent runs an attempt at an accepted invocation. */
export function runOrderOf({ invocationId, attempt, body }: QueuedInvocation, stored: StoredInvocation, revision: Revision, { remainingMs, incarnation, introduced }: Sending): RunOrder {
  return {
    invocationId,
    attempt,
    revisionDigest: revision.digest,
    ...(introduced && { revision: revisionForAgents(revision) }),
    ...(introduced?.credential && { credential: introduced.credential }),
    remainingMs,
    request: stored.trace === undefined ? stored.request : tracedRequest(stored.request, stored.trace, attempt),
    more: stored.payload !== undefined,
    bodyBytes: stored.payload?.byteLength ?? body.length,
    ...(stored.viaUrl && { viaUrl: true }),
    accepted: { acceptedAt: stored.acceptedAt, incarnation },
  };
}
