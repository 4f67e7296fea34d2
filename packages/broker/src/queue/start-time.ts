import { type InvokeQuery, LongshoreError } from "@longshore/protocol";

/** When an invocation may begin, in epoch milliseconds; undefined: at once. Throws `bad_schema` where that is said in two ways. */
export function startOf({ notBefore, delayMs }: Pick<InvokeQuery, "notBefore" | "delayMs">, nowMs: number): number | undefined {
  if (notBefore !== undefined && delayMs !== undefined) throw new LongshoreError("bad_schema", "Cannot read delayMs: notBefore says already when it may begin", { phase: "admission", field: "delayMs" });
  if (notBefore !== undefined) return Date.parse(notBefore);
  return delayMs === undefined ? undefined : nowMs + delayMs;
}
