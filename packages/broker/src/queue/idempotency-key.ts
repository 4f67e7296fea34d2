import { type FunctionName, type InvocationId, LongshoreError, type TenantId } from "@longshore/protocol";
import { derivedId } from "./derived-id.ts";

/** Of 1 to 255 visible ASCII characters; throws `bad_header` naming the header or field. */
export function readKey(text: string | undefined, field: string): string | undefined {
  if (text === undefined || /^[\x21-\x7e]{1,255}$/.test(text)) return text;
  throw new LongshoreError("bad_header", `Cannot read ${field}: expected 1 to 255 visible ASCII characters`, { phase: "admission", field });
}

/** The id that everything has which is submitted for a function under that key. */
export function idOfKey(tenantId: TenantId, functionName: FunctionName, key: string): InvocationId {
  return derivedId("key", tenantId, functionName, key);
}

/** What is submitted under a key. */
export interface KeyUse {
  /** The header or field that holds it. */
  readonly field: string;
  readonly invocationId: InvocationId;
  /** What it is for, as in `invoke "resize"`. */
  readonly action: string;
}

/** Submits under a key: another submission under it is told as `idempotency_mismatch`, with the id that the key stands for. */
export async function underKey<T>({ field, invocationId, action }: KeyUse, submit: () => Promise<T>): Promise<T> {
  try {
    return await submit();
  } catch (error) {
    if (!(error instanceof LongshoreError) || error.reason !== "invocation_exists") throw error;
    throw new LongshoreError("idempotency_mismatch", `Cannot ${action}: this ${field} was used before, for another request: it stands for invocation ${invocationId}`, { phase: "admission", field, cause: error });
  }
}
