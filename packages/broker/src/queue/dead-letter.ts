import { type DeadLetter, deadLetterSchema, type InvocationRecord, LongshoreError } from "@longshore/protocol";
import { z } from "zod";
import { type StoredBody, storedBodySchema } from "../bus/body-store.ts";
import type { Kept, Listed, QueuedInvocation } from "../bus/queue-store.ts";
import type { StoredInvocation } from "./stored-invocation.ts";

/** What is kept of an invocation that ended with this record, so that it can be submitted again; undefined where nobody will want to. */
export function deadLetterOf({ body }: Pick<QueuedInvocation, "body">, { request, where, timeoutMs, viaUrl, once, payload }: StoredInvocation, record: InvocationRecord): Kept | undefined {
  const { outcome } = record.result;
  if (outcome === "succeeded" || outcome === "cancelled" || once) return undefined; // Who waited knows, and may call again.
  return { head: { record, request, where, ...(timeoutMs !== undefined && { timeoutMs }), viaUrl, ...(payload && { payload }) }, body };
}

/** A dead letter with what only its next submission needs. */
export interface ReadDeadLetter extends DeadLetter {
  readonly timeoutMs: number | undefined;
  readonly viaUrl: boolean;
  /** The payload, where it is stored on its own. */
  readonly payload: StoredBody | undefined;
}

const ownSchema = z.object({ timeoutMs: z.number().optional(), viaUrl: z.boolean().default(false), payload: storedBodySchema.optional() });

/** Reads one; throws `unexpected`: another version wrote it. */
export function readDeadLetter({ head, invocationId }: Pick<Listed, "head" | "invocationId">): ReadDeadLetter {
  const parsed = deadLetterSchema.safeParse(head);
  const own = ownSchema.safeParse(head);
  if (parsed.success && own.success) return { ...parsed.data, timeoutMs: own.data.timeoutMs, viaUrl: own.data.viaUrl, payload: own.data.payload };
  throw new LongshoreError("unexpected", `Cannot read dead letter ${invocationId}: it was written by another version`, { cause: parsed.error ?? own.error });
}
