import type { Destinations, FunctionName, InvocationRecord, InvocationTrace, TenantId, WebhookDestination } from "@longshore/protocol";
import type { Draft } from "../bus/queue-store.ts";
import { webhookBody } from "../destinations/webhook-body.ts";
import { deliveryLifeMs } from "../destinations/webhook-schedule.ts";
import { hopId } from "../traces/hop-ids.ts";
import { derivedId } from "./derived-id.ts";
import { defaultMaxAgeMs } from "./limits.ts";
import { type StoredInvocation, storedOf } from "./stored-invocation.ts";

/** Deliveries of webhooks stand in the queue under this name, which no function can have. */
export const webhookFunction = "_webhook" as FunctionName;
/** A chain of destinations ends there: functions that name each other would go on for ever. */
export const mostHops = 16;

/**
 * What is to be accepted together with a terminal record: the invocation, or the delivery, that its function names as destination of such an
 * outcome. Its id follows from the record's, so that it is there once.
 */
export function followUpOf(tenantId: TenantId, stored: StoredInvocation, record: InvocationRecord, body: Uint8Array, destinations: Destinations | undefined, finishedAt: Date): Draft | undefined {
  const destination = record.result.outcome === "succeeded" ? destinations?.onSuccess : destinations?.onFailure;
  if (destination === undefined || stored.once || stored.hops >= mostHops) return undefined;
  const told = webhookBody(record, body);
  const isWebhook = "url" in destination;
  const functionName = isWebhook ? webhookFunction : destination.function;
  const request = { method: "POST", target: "/", headers: [["Content-Type", "application/json"] as [string, string]] };
  const head: StoredInvocation = {
    ...storedOf({ functionName, request, where: {}, timeoutMs: undefined, body: told, trace: traceOf(stored.trace) }, finishedAt),
    hops: stored.hops + 1,
    ...(isWebhook && { webhook: webhookOf(destination, record) }),
  };
  const nowMs = finishedAt.getTime();
  const terms = { attempt: 1, notBeforeMs: nowMs, expiresAtMs: nowMs + (isWebhook ? deliveryLifeMs + 3_600_000 : defaultMaxAgeMs), sentUntilMs: 0 };
  return { tenantId, functionName, invocationId: derivedId("destination", tenantId, record.invocationId), terms, head, body: told };
}

/** It is beneath the one that led to it. */
function traceOf(trace: InvocationTrace | undefined): InvocationTrace | undefined {
  return trace && { traceId: trace.traceId, spanId: hopId(trace, "destination", 0), parentId: trace.spanId, isSampled: trace.isSampled };
}

function webhookOf({ url, secretName }: WebhookDestination, { functionName, invocationId }: InvocationRecord): StoredInvocation["webhook"] {
  return { url, ...(secretName !== undefined && { secretName }), functionName, invocationId };
}
