import type { RegistryCredential, Revision, RunOrder } from "@longshore/protocol";
import { revisionForAgents } from "../registry/revision.ts";
import { tracedRequest } from "../traces/traced-headers.ts";
import type { InvocationRequest } from "./request.ts";

/** What an order says of one sending. */
export interface Sending {
  /** From 1. */
  readonly attempt: number;
  readonly remainingMs: number;
  /** Parts of the body follow the order. */
  readonly more: boolean;
  /** For an agent that does not know the revision: it, and what its image is pulled with. */
  readonly introduced: { readonly credential: RegistryCredential | undefined } | undefined;
}

/** The order by which an agent runs an invocation whose caller waits. */
export function orderOf(invocation: InvocationRequest, revision: Revision, { attempt, remainingMs, more, introduced }: Sending): RunOrder {
  const { invocationId, request, upgrade, viaUrl, trace } = invocation;
  const bodyBytes = invocation.bodyBytes ?? (invocation.more ? undefined : invocation.body.length);
  return {
    invocationId,
    attempt,
    revisionDigest: revision.digest,
    ...(introduced && { revision: revisionForAgents(revision) }),
    ...(introduced?.credential && { credential: introduced.credential }),
    remainingMs: Math.max(0, remainingMs),
    request: trace === undefined ? request : tracedRequest(request, trace, attempt),
    more,
    ...(bodyBytes !== undefined && { bodyBytes }),
    ...(upgrade && { upgrade }),
    ...(viaUrl === true && { viaUrl }),
  };
}
