import type { InvocationResult } from "@longshore/protocol";

/** What a revision says of repetition. */
export interface RepetitionRules {
  readonly idempotent: boolean;
  readonly retry: "default" | "never";
}

/** An attempt that ended. */
export interface EndedAttempt {
  /** The number of attempts that may have begun the function, this one included: from 1. */
  readonly begun: number;
  readonly result: InvocationResult;
  readonly endedAtMs: number;
  /** Not begun after that. */
  readonly expiresAtMs: number;
}

/** So many attempts may begin the function; one that never began it does not count, and is repeated for as long as there is time. */
export const mostAttempts = 3;
const waitsMs = [10_000, 60_000, 300_000];
/** After a rejection, which cost the function nothing. */
const waitsAfterRejectionMs = [1_000, 2_000, 5_000, 10_000, 30_000];

/** It is over with this result; or it is tried again, and when. */
export type Next = { readonly next: "end" } | { readonly next: "again"; readonly notBeforeMs: number };

const end: Next = { next: "end" };

/**
 * What follows an attempt (guarantees.md): a function's own failure is repeated, unless it says `retry: never`; one of which nobody knows
 * what became, or which may still be running, only if the function is idempotent; what was refused before it began, as long as its time lasts.
 */
export function afterAttempt({ begun, result, endedAtMs, expiresAtMs }: EndedAttempt, rejections: number, rules: RepetitionRules): Next {
  switch (result.outcome) {
    case "succeeded":
    case "cancelled":
    case "expired":
      return end;
    case "rejected":
      return isForGood(result) ? end : again(endedAtMs + pick(waitsAfterRejectionMs, rejections), expiresAtMs);
    case "lost":
      return rules.idempotent ? repeat() : end;
    case "timed_out":
      return rules.idempotent || result.stopProven !== false ? repeat() : end;
    case "failed":
    case "oom_killed":
      return repeat();
  }

  function repeat(): Next {
    if (rules.retry === "never" || begun >= mostAttempts) return end;
    return again(endedAtMs + pick(waitsMs, begun - 1), expiresAtMs);
  }
}

function again(notBeforeMs: number, expiresAtMs: number): Next {
  return notBeforeMs < expiresAtMs ? { next: "again", notBeforeMs } : end;
}

/** What a change of the fleet may put right is waited for; what lies in the invocation itself is not. */
function isForGood({ error }: InvocationResult): boolean {
  return error !== undefined && (error.reason === "body_lost" || error.code === "invalid_argument" || error.code === "permission_denied" || error.code === "not_found" || error.code === "unimplemented");
}

function pick(waits: readonly number[], index: number): number {
  return waits[Math.min(index, waits.length - 1)] ?? 0;
}
