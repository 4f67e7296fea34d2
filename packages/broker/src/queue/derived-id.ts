import { createInvocationId, type InvocationId } from "@longshore/protocol";
import { createHash } from "node:crypto";

/**
 * An invocation id that follows from names: the same on every broker and for ever, so that whatever is submitted under it is accepted
 * once. It looks like any other, but for its time, which means nothing.
 */
export function derivedId(...names: readonly (string | number)[]): InvocationId {
  const digest = createHash("sha256").update(JSON.stringify(names)).digest();
  return createInvocationId(digest.readUIntBE(0, 6), digest.subarray(6, 16));
}
