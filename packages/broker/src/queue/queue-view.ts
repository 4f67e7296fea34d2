import { type InvocationPageQuery, type InvocationView, LongshoreError, type PendingInvocation, pendingInvocationSchema, type UnreadableInvocation } from "@longshore/protocol";
import type { FoundInvocation, Listed, QueueEntry } from "../bus/queue-store.ts";
import { readStoredRecord, type StoredRecord } from "../invocation/records.ts";
import { pendingView, readStored } from "./stored-invocation.ts";

/** An accepted invocation as it stands. */
export type QueueView = PendingInvocation | ({ readonly state: "finished" } & StoredRecord);

/** Throws `unexpected`: another version wrote it. */
export function viewOf(found: FoundInvocation): QueueView {
  if (found.state === "queued") return viewOfEntry(found, found.head);
  return { state: "finished", ...readStoredRecord(found, found.invocationId) };
}

/** As the API shows it: a record without its answer's body. */
export function shownView(view: QueueView): InvocationView {
  return "record" in view ? { state: view.state, record: view.record } : view;
}

/** One of a listing; throws as {@link viewOf} does. */
export function listedView(listed: Listed, state: InvocationPageQuery["state"]): InvocationView {
  if (state === "pending") return viewOfEntry({ ...listed, ...listed.terms }, listed.head);
  return { state: "finished", record: readStoredRecord(listed, listed.invocationId).record };
}

/** What can be said of one of a listing that cannot be read. */
export function unreadableView({ invocationId, functionName, terms }: Listed, state: InvocationPageQuery["state"]): UnreadableInvocation {
  return { invocationId, functionName, state: state === "finished" ? "finished" : terms.sentTo === undefined ? "waiting" : "running" };
}

/** Splits a page by whether each can be read: one that cannot fails none of the others. */
export function readEach<View>(listed: readonly Listed[], read: (each: Listed) => View, unreadable: (each: Listed) => UnreadableInvocation): { readonly views: View[]; readonly unreadable: UnreadableInvocation[] } {
  const page = { views: [] as View[], unreadable: [] as UnreadableInvocation[] };
  for (const each of listed) {
    try {
      page.views.push(read(each));
    } catch {
      page.unreadable.push(unreadable(each));
    }
  }
  return page;
}

/** The terms are checked with it: headers may be damaged like what stands below them. */
function viewOfEntry(entry: QueueEntry, head: unknown): PendingInvocation {
  try {
    return pendingInvocationSchema.parse(pendingView(entry, readStored(head, entry.invocationId)));
  } catch (error) {
    throw LongshoreError.from(error, `Cannot read accepted invocation ${entry.invocationId}`);
  }
}
