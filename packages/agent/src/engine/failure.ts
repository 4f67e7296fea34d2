import { EngineError, type EngineFailure } from "./engine.ts";

/** What an engine's HTTP status means to us. 0 stands for no answer at all. */
export function failureOf(status: number): EngineFailure {
  if (status === 0) return "unreachable";
  if (status === 404) return "not_found";
  // 403 is how an engine says that something is still in use (a network with endpoints), 304 that nothing had to change.
  if (status === 409 || status === 403 || status === 304) return "conflict";
  return status >= 400 && status < 500 ? "bad_request" : "internal";
}

/** An EngineError for whatever an engine call threw: classified by its status, worded as `<action>: <the engine's own account>`. */
export function engineError(action: string, cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  const status = statusOf(cause);
  return new EngineError(failureOf(status), status, `${action}: ${accountOf(cause)}`, cause);
}

/** Tells whether a call failed because what it named is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof EngineError && error.failure === "not_found";
}

function statusOf(cause: unknown): number {
  const status = (cause as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === "number" ? status : 0;
}

function accountOf(cause: unknown): string {
  const account = (cause as { json?: { message?: unknown } } | undefined)?.json?.message;
  if (typeof account === "string") return account.trim();
  return cause instanceof Error ? cause.message.trim() : String(cause);
}
