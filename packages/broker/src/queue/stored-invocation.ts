import { type AgentAddress, type InvocationRecord, invocationResultSchema, LongshoreError, requestHeadSchema, type Revision, whereSchema } from "@longshore/protocol";
import { z } from "zod";
import type { InvocationRequest } from "../invocation/request.ts";

/** An attempt that is over. */
const pastAttemptSchema = z.object({
  attempt: z.number().int().positive(),
  siteId: z.string(),
  agentId: z.string(),
  /** RFC 3339. */
  endedAt: z.string(),
  result: invocationResultSchema,
});
export type PastAttempt = z.infer<typeof pastAttemptSchema>;

/** What is stored of an accepted invocation besides its body and its terms. Fields are only ever added, each with what its absence means. */
export const storedInvocationSchema = z.object({
  request: requestHeadSchema,
  where: z.object(whereSchema.shape),
  /** The caller's own limit for an attempt; absent: the function's alone. */
  timeoutMs: z.number().positive().optional(),
  viaUrl: z.boolean().default(false),
  /** RFC 3339. */
  acceptedAt: z.string(),
  payloadBytes: z.number().int().nonnegative(),
  /** Refusals since an attempt last began: what could not begin is tried less and less often. */
  rejections: z.number().int().nonnegative().default(0),
  /** Oldest first. */
  past: z.array(pastAttemptSchema).default([]),
  /** The agent that has the present attempt, and of which revision; absent: none has it. */
  sent: z.object({ siteId: z.string(), agentId: z.string(), revisionId: z.string(), sentAt: z.string() }).optional(),
});
export type StoredInvocation = z.output<typeof storedInvocationSchema>;

/** Reads what is stored; throws `unexpected`: another version wrote it. */
export function readStored(head: unknown, invocationId: string): StoredInvocation {
  const parsed = storedInvocationSchema.safeParse(head);
  if (parsed.success) return parsed.data;
  throw new LongshoreError("unexpected", `Cannot read accepted invocation ${invocationId}: it was written by another version`, { cause: parsed.error });
}

/** As it is accepted. */
export function storedOf(request: Pick<InvocationRequest, "request" | "where" | "timeoutMs" | "viaUrl" | "body">, acceptedAt: Date): StoredInvocation {
  return {
    request: request.request,
    where: request.where,
    ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    viaUrl: request.viaUrl === true,
    acceptedAt: acceptedAt.toISOString(),
    payloadBytes: request.body.length,
    rejections: 0,
    past: [],
  };
}

/** With an agent from now on. */
export function sentTo(stored: StoredInvocation, { siteId, agentId }: AgentAddress, { revisionId }: Pick<Revision, "revisionId">, sentAt: Date): StoredInvocation {
  return { ...stored, sent: { siteId, agentId, revisionId, sentAt: sentAt.toISOString() } };
}

/** With none any more: it had not begun there. */
export function takenBack({ sent: _, ...stored }: StoredInvocation): StoredInvocation {
  return { ...stored, rejections: stored.rejections + 1 };
}

/** After an attempt that ended and is to be followed by another. */
export function withPast({ sent: _, ...stored }: StoredInvocation, past: PastAttempt): StoredInvocation {
  return { ...stored, rejections: 0, past: [...stored.past, past] };
}

/** The terminal record of one that no attempt's answer ends: it expired, was cancelled, or cannot be begun. */
export function recordWithoutAnswer(stored: StoredInvocation, names: { readonly invocationId: string; readonly functionName: string; readonly attempt: number }, result: InvocationRecord["result"], finishedAt: Date): InvocationRecord {
  const { invocationId, functionName, attempt } = names;
  return {
    invocationId,
    functionName,
    ...(stored.sent !== undefined && { siteId: stored.sent.siteId, agentId: stored.sent.agentId, revisionId: stored.sent.revisionId }),
    attempt,
    result,
    acceptedAt: stored.acceptedAt,
    finishedAt: finishedAt.toISOString(),
    timings: { totalMs: finishedAt.getTime() - Date.parse(stored.acceptedAt) },
    payloadBytes: stored.payloadBytes,
    resultBytes: 0,
    resultKept: true,
  };
}
