import { createInvocationId, type FunctionName, type InvocationId, type TenantId } from "@longshore/protocol";
import { createHash } from "node:crypto";

/**
 * The invocation id that an idempotency key stands for: the same on every broker and for ever, so that what makes an id unique makes
 * the key so. It looks like any other, but for its time, which means nothing.
 */
export function idOfKey(tenantId: TenantId, functionName: FunctionName, key: string): InvocationId {
  const digest = createHash("sha256").update(JSON.stringify([tenantId, functionName, key])).digest();
  return createInvocationId(digest.readUIntBE(0, 6), digest.subarray(6, 16));
}
