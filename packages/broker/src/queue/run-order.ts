import type { Revision, RunOrder } from "@longshore/protocol";
import type { QueuedInvocation } from "../bus/queue-store.ts";
import { type Introduction, orderOf } from "../invocation/order.ts";
import type { StoredInvocation } from "./stored-invocation.ts";

/** What an order says of one sending. */
export interface Sending {
  readonly remainingMs: number;
  /** The process of the agent that it is for: no later one begins it. */
  readonly incarnation: string;
  /** For an agent that does not know the revision. */
  readonly introduced?: Introduction;
}

/** The order by which an agent runs an attempt at an accepted invocation. */
export function runOrderOf({ invocationId, attempt, body }: QueuedInvocation, stored: StoredInvocation, revision: Revision, { remainingMs, incarnation, introduced }: Sending): RunOrder {
  const { request, trace, viaUrl, payload, acceptedAt } = stored;
  const ordered = { invocationId, attempt, remainingMs, request, trace, viaUrl, more: payload !== undefined, bodyBytes: payload?.byteLength ?? body.length, introduced };
  return { ...orderOf(ordered, revision), accepted: { acceptedAt, incarnation } };
}
