import type { RunOrder } from "@longshore/protocol";
import type { ContractCall } from "../contracts/contract.ts";

/** An order as a contract delivers it. `deadlineAtMs` is on the host's clock, since the order has only what is left of it. */
export function contractCallOf(order: RunOrder, body: Uint8Array, deadlineAtMs: number): ContractCall {
  const { invocationId, request, upgrade, viaUrl, more, bodyBytes } = order;
  return {
    invocationId,
    request,
    traceparent: request.headers.find(([name]) => name.toLowerCase() === "traceparent")?.[1],
    deadlineAtMs,
    upgrade: upgrade ?? false,
    viaUrl: viaUrl === true || request.method !== "POST" || request.target !== "/",
    body,
    more,
    bodyBytes,
    addedHeaders: [
      ["longshore-invocation-id", invocationId],
      ["longshore-deadline", new Date(deadlineAtMs).toISOString()],
    ],
  };
}
