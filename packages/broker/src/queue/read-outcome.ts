import { type AgentAddress, type AnswerHead, type Frame, type InvocationRecord, LongshoreError, type Orphan, parseName, tenantIdSchema } from "@longshore/protocol";
import { readOrphan, recordOfOrphan } from "../invocation/records.ts";

/** What became of an attempt at an accepted invocation, as its agent tells it. */
export interface AttemptOutcome {
  readonly orphan: Orphan;
  readonly head: AnswerHead;
  readonly body: Uint8Array;
  /** The answer's length, also of one that was too large to keep. */
  readonly bodyBytes: number;
  readonly bodyKept: boolean;
  /** It is too long to be told with the outcome: the agent has it, and is asked for it. */
  readonly bodyFollows: boolean;
}

/** Reads an outcome; throws `bad_frame`. */
export function readOutcome(frame: Frame): AttemptOutcome {
  const { orphan, head, body } = readOrphan(frame);
  parseName(tenantIdSchema, orphan.tenantId, "tenantId");
  const { bodyBytes, bodyKept, bodyFollows } = (frame as { head: { bodyBytes?: unknown; bodyKept?: unknown; bodyFollows?: unknown } }).head;
  if (typeof bodyBytes !== "number" || !Number.isSafeInteger(bodyBytes) || bodyBytes < body.length || typeof bodyKept !== "boolean" || (bodyKept && bodyFollows !== true && bodyBytes !== body.length)) {
    throw new LongshoreError("bad_frame", "Cannot read an outcome: bodyBytes and bodyKept are not what they should be", { field: "bodyBytes" });
  }
  return { orphan, head, body, bodyBytes, bodyKept, bodyFollows: bodyKept && bodyFollows === true };
}

/** The terminal record of an invocation that this outcome ends. */
export function recordOfOutcome(outcome: AttemptOutcome, from: AgentAddress, finishedAt: Date): InvocationRecord {
  const record = recordOfOrphan(outcome, from, finishedAt);
  const totalMs = finishedAt.getTime() - Date.parse(record.acceptedAt);
  return { ...record, timings: { ...record.timings, ...(totalMs >= 0 && { totalMs }) }, resultBytes: outcome.bodyBytes, resultKept: outcome.bodyKept };
}
