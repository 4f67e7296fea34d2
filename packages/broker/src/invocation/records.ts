import { type AnswerHead, type Frame, type InvocationRecord, invocationRecordSchema, LongshoreError, type Orphan, orphanSchema } from "@longshore/protocol";
import { type StoredBody, storedBodySchema } from "../bus/body-store.ts";
import type { RecordStore } from "../bus/bus.ts";
import { readAnswerHead } from "./read-answer.ts";

/** A terminal record with the answer's body, where it is kept. */
export interface StoredRecord {
  readonly record: InvocationRecord;
  readonly body: Uint8Array;
  /** The answer's body, where it is stored on its own. */
  readonly answer?: StoredBody | undefined;
}

/** Reads a record by its invocation's id; what was appended a moment ago is waited for. */
export async function readRecord(store: RecordStore, tenantId: string, invocationId: string): Promise<StoredRecord | undefined> {
  const stored = (await store.read(tenantId, invocationId)) ?? (await afterFlush(store, tenantId, invocationId));
  return stored === undefined ? undefined : readStoredRecord(stored, invocationId);
}

/** Reads a record as it is stored. Throws `unexpected`. */
export function readStoredRecord(stored: { readonly head: unknown; readonly body: Uint8Array }, invocationId: string): StoredRecord {
  const parsed = invocationRecordSchema.safeParse(stored.head);
  if (!parsed.success) throw new LongshoreError("unexpected", `Cannot read the record of invocation ${invocationId}: it was written by another version`, { cause: parsed.error });
  const answer = (stored.head as { answer?: unknown }).answer;
  return { record: parsed.data, body: stored.body, ...(answer !== undefined && { answer: storedBodySchema.parse(answer) }) };
}

async function afterFlush(store: RecordStore, tenantId: string, invocationId: string) {
  await store.flush();
  return store.read(tenantId, invocationId);
}

/** The outcome of an invocation whose broker is gone, as its agent handed it over. */
export interface ReadOrphan {
  readonly orphan: Orphan;
  readonly head: AnswerHead;
  readonly body: Uint8Array;
}

/** Reads an orphan; throws `bad_frame`. */
export function readOrphan(frame: Frame): ReadOrphan {
  if (frame.kind !== "answer") throw new LongshoreError("bad_frame", `Cannot take a frame of kind "${frame.kind}" as an orphan`);
  const head = readAnswerHead(frame.head);
  const orphan = orphanSchema.safeParse((frame.head as { orphan?: unknown }).orphan);
  if (!orphan.success || head.result === undefined) throw new LongshoreError("bad_frame", "Cannot read an orphan");
  return { orphan: orphan.data, head, body: frame.body };
}

/** The terminal record of an orphan. */
export function recordOfOrphan({ orphan, head, body }: ReadOrphan, from: { readonly siteId: string; readonly agentId: string }, finishedAt: Date): InvocationRecord {
  return {
    invocationId: orphan.invocationId,
    functionName: orphan.functionName,
    revisionId: orphan.revisionId,
    siteId: from.siteId,
    agentId: from.agentId,
    ...(head.instanceId !== undefined && { instanceId: head.instanceId }),
    attempt: orphan.attempt,
    ...(head.start !== undefined && { start: head.start }),
    result: head.result ?? { outcome: "lost" },
    acceptedAt: orphan.acceptedAt,
    finishedAt: finishedAt.toISOString(),
    timings: { ...(head.startMs !== undefined && { startMs: head.startMs }), ...(head.runMs !== undefined && { runMs: head.runMs }) },
    payloadBytes: orphan.payloadBytes,
    resultBytes: body.length,
    resultKept: true,
    resultHeaders: head.headers,
  };
}
