import type { InvocationId, InvocationTrace, RegistryCredential, RequestHead, Revision, RunOrder } from "@longshore/protocol";
import { revisionForAgents } from "../registry/revision.ts";
import { tracedRequest } from "../traces/traced-headers.ts";

/** What an order says to an agent that does not know the revision: it, and what its image is pulled with. */
export interface Introduction {
  readonly credential: RegistryCredential | undefined;
}

/** An attempt that an agent is to make, whoever waits for it. */
export interface Ordered {
  readonly invocationId: InvocationId;
  /** From 1. */
  readonly attempt: number;
  readonly remainingMs: number;
  readonly request: RequestHead;
  readonly trace: InvocationTrace | undefined;
  readonly viaUrl: boolean | undefined;
  /** Parts of the body follow the order. */
  readonly more: boolean;
  /** Of the whole body; undefined: nobody knows yet. */
  readonly bodyBytes: number | undefined;
  readonly introduced: Introduction | undefined;
}

/** The order by which an agent runs it. */
export function orderOf({ invocationId, attempt, remainingMs, request, trace, viaUrl, more, bodyBytes, introduced }: Ordered, revision: Revision): RunOrder {
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
    ...(viaUrl === true && { viaUrl }),
  };
}
