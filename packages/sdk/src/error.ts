import { type Code, type InvocationResult, LongshoreError, type Outcome, type Phase } from "@longshore/protocol";

/** What is known of an invocation that did not succeed. */
export interface InvocationFailure {
  readonly functionName: string;
  readonly invocationId: string;
  readonly result: InvocationResult;
  readonly status: number | undefined;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  readonly body: Uint8Array;
}

/**
 * A function was invoked and did not give what it was asked for: it failed, ran out of time or memory, or answered with an HTTP
 * status of 400 or more. What stands in `result` is the truth about it. A {@link LongshoreError}, in contrast, says that Longshore
 * could not give a result; both have `code`, `reason` and `phase`.
 */
export class InvocationError extends Error implements InvocationFailure {
  override readonly name = "InvocationError";
  /** What a program may do next, from the same closed set as a LongshoreError's. */
  readonly code: Code;
  /** The outcome (`failed`, `timed_out` …), or `http_status` when the function's own answer says no. */
  readonly reason: string;
  readonly phase: Phase | undefined;
  readonly functionName: string;
  readonly invocationId: string;
  readonly result: InvocationResult;
  /** The function's HTTP status, where it gave one. */
  readonly status: number | undefined;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  /** What the function answered, as far as it came. */
  readonly body: Uint8Array;

  constructor(failure: InvocationFailure) {
    super(messageOf(failure));
    const { outcome, error } = failure.result;
    this.code = error?.code ?? (outcome === "succeeded" ? codeOfStatus(failure.status ?? 500) : codeOf[outcome]);
    this.reason = outcome === "succeeded" ? "http_status" : outcome;
    this.phase = error === undefined ? "execution" : error.phase;
    this.functionName = failure.functionName;
    this.invocationId = failure.invocationId;
    this.result = failure.result;
    this.status = failure.status;
    this.siteId = failure.siteId;
    this.agentId = failure.agentId;
    this.body = failure.body;
  }

  /** {@link body} as text. */
  text(): string {
    return new TextDecoder().decode(this.body);
  }
}

const codeOf: Record<Exclude<Outcome, "succeeded">, Code> = {
  failed: "internal",
  timed_out: "deadline_exceeded",
  oom_killed: "resource_exhausted",
  cancelled: "cancelled",
  expired: "deadline_exceeded",
  rejected: "unavailable",
  lost: "unavailable",
};

function codeOfStatus(status: number): Code {
  const known: Record<number, Code> = { 401: "unauthenticated", 403: "permission_denied", 404: "not_found", 409: "already_exists", 429: "resource_exhausted" };
  return known[status] ?? (status < 500 ? "invalid_argument" : "internal");
}

const verbs: Record<Exclude<Outcome, "succeeded">, string> = {
  failed: "failed",
  timed_out: "timed out",
  oom_killed: "ran out of memory",
  cancelled: "was cancelled",
  expired: "expired before it could start",
  rejected: "was rejected",
  lost: "was lost and may or may not have run",
};

function messageOf({ functionName, result, status }: InvocationFailure): string {
  const what = result.outcome === "succeeded" ? `answered HTTP ${status}` : verbs[result.outcome];
  const evidence = [
    result.exitCode === undefined ? undefined : `exit code ${result.exitCode}`,
    result.signal,
    result.outcome === "failed" && status !== undefined ? `HTTP ${status}` : undefined,
  ].filter((part) => part !== undefined);
  const why = result.message ?? result.error?.message;
  return `Function "${functionName}" ${what}${evidence.length === 0 ? "" : ` (${evidence.join(", ")})`}${why === undefined ? "" : `: ${why}`}`;
}

/** Everything that the methods of a fleet reject with. */
export type FleetError = LongshoreError | InvocationError;

/** Tells whether a caught value is one of ours: it then has `code`, `reason` and `phase`. */
export function isFleetError(value: unknown): value is FleetError {
  return value instanceof LongshoreError || value instanceof InvocationError;
}

/** The same error, of this invocation: one error may be told to many. {@link invocationIdOf} reads which. */
export function ofInvocation(error: LongshoreError, invocationId: string): LongshoreError {
  return Object.assign(LongshoreError.fromShape(error.toShape(), error.cause), { invocationId });
}

/** The id of the invocation that an error is about, to ask `fleet.invocation(id)` what became of it. */
export function invocationIdOf(error: unknown): string | undefined {
  const id = isFleetError(error) ? (error as { invocationId?: unknown }).invocationId : undefined;
  return typeof id === "string" ? id : undefined;
}
