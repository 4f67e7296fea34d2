import { headers, type InvocationResult, LongshoreError, type Problem } from "@longshore/protocol";
import type { ServerResponse } from "node:http";

/** What a problem may carry besides the error. */
export interface ProblemContext {
  readonly invocationId?: string | undefined;
  /** A function's own failure: its evidence goes along. */
  readonly result?: InvocationResult | undefined;
}

/** An error as problem+json (RFC 9457); `type` leads to the reason's heading in docs/errors.md. */
export function problemOf(error: LongshoreError, { invocationId }: ProblemContext = {}): Problem {
  return {
    type: `urn:longshore:error:${error.reason}`,
    title: error.reason.replaceAll("_", " "),
    status: error.httpStatus,
    detail: error.message,
    ...error.toShape(),
    ...(invocationId !== undefined && { invocationId }),
  };
}

/** Writes an error as the whole answer; does nothing once an answer has begun. */
export function sendProblem(response: ServerResponse, error: LongshoreError, context: ProblemContext = {}): void {
  if (response.headersSent || response.destroyed) return;
  if (error.retryAfterMs !== undefined) response.setHeader("Retry-After", Math.max(1, Math.ceil(error.retryAfterMs / 1000)));
  if (context.invocationId !== undefined) response.setHeader(headers.invocationId, context.invocationId);
  sendJson(response, error.httpStatus, problemOf(error, context), "application/problem+json");
}

/** Writes a JSON document as the whole answer. */
export function sendJson(response: ServerResponse, status: number, value: unknown, contentType = "application/json"): void {
  const body = Buffer.from(`${JSON.stringify(value)}\n`);
  response.writeHead(status, { "Content-Type": contentType, "Content-Length": body.length, "Cache-Control": "no-store" });
  response.end(body);
}

/** Any thrown value as an error for the caller; what is not ours is `unexpected`, its cause kept for the log. */
export function callerError(thrown: unknown): LongshoreError {
  return thrown instanceof LongshoreError ? thrown : new LongshoreError("unexpected", "Cannot answer: an unexpected fault of the broker", { cause: thrown });
}
