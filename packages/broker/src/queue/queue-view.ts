import type { InvocationPageQuery, InvocationView, PendingInvocation } from "@longshore/protocol";
import type { FoundInvocation, Listed } from "../bus/queue-store.ts";
import { readStoredRecord, type StoredRecord } from "../invocation/records.ts";
import { pendingView, readStored } from "./stored-invocation.ts";

/** An accepted invocation as it stands. */
export type QueueView = PendingInvocation | ({ readonly state: "finished" } & StoredRecord);

/** Throws `unexpected`: another version wrote it. */
export function viewOf(found: FoundInvocation): QueueView {
  if (found.state === "queued") return pendingView(found, readStored(found.head, found.invocationId));
  return { state: "finished", ...readStoredRecord(found, found.invocationId) };
}

/** One of a listing; throws as {@link viewOf} does. */
export function listedView(listed: Listed, state: InvocationPageQuery["state"]): InvocationView {
  if (state === "pending") return pendingView({ ...listed, ...listed.terms }, readStored(listed.head, listed.invocationId));
  return { state: "finished", record: readStoredRecord(listed, listed.invocationId).record };
}
