import type { InvocationTrace } from "@longshore/protocol";
import { hash } from "node:crypto";

/** What an invocation passes on its way, each with a span of its own beneath the invocation's. */
export type Hop = "placement" | "attempt" | "start" | "run" | "destination";

/**
 * The span of a hop, 16 hexadecimal digits. It follows from the invocation's own span, so that the order can name it as the parent of what the
 * function does before anybody has told of the hop, and whichever broker stores the record tells of the same one.
 */
export function hopId({ traceId, spanId }: Pick<InvocationTrace, "traceId" | "spanId">, hop: Hop, attempt: number): string {
  return hash("sha256", `${traceId} ${spanId} ${hop} ${attempt}`, "hex").slice(0, 16);
}
