import { type AgentAddress, type InvocationRecord, type InvocationTrace, invocationTraceSchema, LongshoreError, type PastAttempt, pastAttemptSchema, type PendingInvocation, requestHeadSchema, type Revision, whereSchema } from "@longshore/protocol";
import { hash } from "node:crypto";
import { z } from "zod";
import { storedBodySchema } from "../bus/body-store.ts";
import type { QueueEntry } from "../bus/queue-store.ts";
import type { InvocationRequest } from "../invocation/request.ts";
import { byteLengthOf, type Payload, storedPartOf } from "./payload.ts";

/** What is stored of an accepted invocation besides its body and its terms. Fields are only ever added, each with what its absence means. */
export const storedInvocationSchema = z.object({
  request: requestHeadSchema,
  where: z.object(whereSchema.shape),
  /** The caller's own limit for an attempt; absent: the function's alone. */
  timeoutMs: z.number().positive().optional(),
  viaUrl: z.boolean().default(false),
  /** One attempt at most may begin, whatever the function says. */
  once: z.boolean().default(false),
  /** The dead letter that it was submitted again from. */
  redriveOf: z.string().optional(),
  /** Where it stands in a trace; absent: the broker that accepted it had traces off. */
  trace: invocationTraceSchema.optional(),
  /** How many destinations led to it. */
  hops: z.number().int().nonnegative().default(0),
  /** It is the delivery of a webhook, about an invocation of that function. */
  webhook: z.object({ url: z.string(), secretName: z.string().optional(), functionName: z.string(), invocationId: z.string() }).optional(),
  /** RFC 3339. */
  acceptedAt: z.string(),
  payloadBytes: z.number().int().nonnegative(),
  /** The payload, where it is stored on its own; absent: it stands with the invocation. */
  payload: storedBodySchema.optional(),
  /** Of body and function, SHA-256 as base64url: the same submission again is told from another. */
  digest: z.string().default(""),
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

/** What an invocation is to be accepted as. */
type Accepted = Pick<InvocationRequest, "functionName" | "request"> & { readonly body: Payload };

/** Tells one submission from another: function, method, path and body, whose own digest stands for it where it is stored on its own. */
export function digestOf({ functionName, request, body }: Accepted): string {
  const isInline = body instanceof Uint8Array;
  const names = `${functionName} ${request.method} ${request.target}${isInline ? "" : " sha256"}\n`; // A target has no space in it.
  return hash("sha256", Buffer.concat([Buffer.from(names), isInline ? body : Buffer.from(body.sha256)]), "base64url");
}

/** As it is accepted. */
export function storedOf(request: Accepted & Pick<InvocationRequest, "where" | "timeoutMs" | "viaUrl"> & { readonly once?: boolean; readonly redriveOf?: string; readonly trace?: InvocationTrace | undefined }, acceptedAt: Date): StoredInvocation {
  return {
    request: request.request,
    where: request.where,
    ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    viaUrl: request.viaUrl === true,
    once: request.once === true,
    hops: 0,
    ...(request.redriveOf !== undefined && { redriveOf: request.redriveOf }),
    ...(request.trace !== undefined && { trace: request.trace }),
    acceptedAt: acceptedAt.toISOString(),
    payloadBytes: byteLengthOf(request.body),
    ...storedPartOf(request.body),
    digest: digestOf(request),
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
    ...historyOf(stored),
  };
}

/** A queued invocation as the API shows it. */
export function pendingView(entry: Omit<QueueEntry, "sequence">, stored: StoredInvocation): PendingInvocation {
  const { invocationId, functionName, attempt, notBeforeMs, expiresAtMs, sentTo, isCancelled } = entry;
  return {
    state: sentTo === undefined ? "waiting" : "running",
    invocationId,
    functionName,
    acceptedAt: stored.acceptedAt,
    attempt,
    ...(notBeforeMs > Date.parse(stored.acceptedAt) && { notBefore: new Date(notBeforeMs).toISOString() }),
    expiresAt: new Date(expiresAtMs).toISOString(),
    ...(sentTo && { siteId: sentTo.siteId, agentId: sentTo.agentId }),
    ...(isCancelled === true && { cancelRequested: true }),
    ...(stored.past.length > 0 && { past: stored.past }),
  };
}

/** What a record keeps of how it came to it. The digest is not shown: it tells the same submission from another. */
export function historyOf({ past, digest, redriveOf, sent, trace }: StoredInvocation): Pick<InvocationRecord, "past" | "redriveOf" | "sentAt" | "trace"> & { readonly digest: string } {
  return {
    ...(past.length > 0 && { past }),
    ...(redriveOf !== undefined && { redriveOf }),
    ...(sent !== undefined && { sentAt: sent.sentAt }),
    ...(trace !== undefined && { trace }),
    digest,
  };
}
