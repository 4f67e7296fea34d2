import type { QueuedInvocation, QueueTerms } from "../bus/queue-store.ts";

/** An invocation's terms while it is with no agent. */
export function idleTermsOf({ attempt, notBeforeMs, expiresAtMs, isCancelled }: QueuedInvocation): QueueTerms {
  return { attempt, notBeforeMs, expiresAtMs, sentUntilMs: 0, isCancelled };
}
