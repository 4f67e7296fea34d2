import { createInvocationId, functionNameSchema, type InvocationId, invocationIdSchema, LongshoreError, parseName, parseWhere, type SocketOpen, type TenantId } from "@longshore/protocol";
import { idOfKey, type KeyUse, readKey } from "../queue/idempotency-key.ts";
import { startOf } from "../queue/start-time.ts";
import type { Submission } from "../queue/submissions.ts";
import { passedOn } from "./invocation-open.ts";

type SubmitOpen = Extract<SocketOpen, { what: "submit" }>;

/** An invocation to be accepted, all but its body, and the key that it is submitted under. */
export interface SubmissionHead {
  readonly submission: Omit<Submission, "body">;
  readonly key: KeyUse | undefined;
}

/** Turns the head of an `open` into a submission with every name checked; throws naming the field. */
export function readSubmission(open: SubmitOpen, tenantId: TenantId, nowMs: number): SubmissionHead {
  const { where, request, timeoutMs, maxAgeMs } = open;
  const functionName = parseName(functionNameSchema, open.functionName, "functionName");
  const key = readKey(open.idempotencyKey, "idempotencyKey");
  if (key !== undefined && open.invocationId !== undefined) {
    throw new LongshoreError("bad_schema", "Cannot take idempotencyKey and invocationId together: the key decides the id", { phase: "admission", field: "idempotencyKey" });
  }
  const invocationId = key === undefined ? readId(open.invocationId) : idOfKey(tenantId, functionName, key);
  return {
    submission: {
      tenantId,
      functionName,
      invocationId,
      where: where === undefined ? {} : parseWhere(where, "where"),
      timeoutMs,
      request: { method: request.method, target: request.target, headers: passedOn(request.headers) },
      notBeforeMs: startOf(open, nowMs),
      maxAgeMs,
    },
    key: key === undefined ? undefined : { field: "idempotencyKey", invocationId, action: `submit for "${functionName}"` },
  };
}

function readId(given: string | undefined): InvocationId {
  return given === undefined ? createInvocationId() : parseName(invocationIdSchema, given, "invocationId");
}
