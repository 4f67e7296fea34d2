import { type InvocationResult, LongshoreError, type Outcome } from "@longshore/protocol";

const statusOf: Record<Outcome, number> = {
  succeeded: 200,
  failed: 502,
  timed_out: 504,
  oom_killed: 502,
  cancelled: 499,
  expired: 504,
  rejected: 503,
  lost: 504,
};

/** The HTTP status of a result: the function's own where it gave one and was heard out, else by outcome (design: 502 and 504 tell by `Longshore-Result` whose they are). */
export function statusOfResult(result: InvocationResult): number {
  if (result.error !== undefined) return LongshoreError.fromShape(result.error).httpStatus;
  const isFunctionsOwn = result.outcome === "succeeded" || result.outcome === "failed";
  return isFunctionsOwn && result.status !== undefined ? result.status : statusOf[result.outcome];
}

/** True when the function was heard out: what it sent is its whole answer. */
export function isWholeAnswer(result: InvocationResult): boolean {
  return result.outcome === "succeeded" || (result.outcome === "failed" && result.status !== undefined);
}

/** What a function's failure looks like to an HTTP caller when the function itself sent no answer. */
export function failureDocument(result: InvocationResult, invocationId: string): Record<string, unknown> {
  const status = statusOfResult(result);
  return {
    type: `urn:longshore:result:${result.outcome}`,
    title: result.outcome.replaceAll("_", " "),
    status,
    detail: result.message ?? result.error?.message ?? `The function ended: ${result.outcome}`,
    invocationId,
    ...(result.error !== undefined && { code: result.error.code, reason: result.error.reason, phase: result.error.phase }),
    result,
  };
}
