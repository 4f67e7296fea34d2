import { type InvocationResult, LongshoreError, type Outcome } from "@longshore/protocol";

/**
 * What the command's end tells a program; `docs/operations.md` has the same table.
 *
 * 0 it succeeded · 1 the function failed · 2 the command line or an input is wrong · 3 Longshore could not do it · 4 it timed out ·
 * 5 lost: it may or may not have run · 130 it was cancelled · 141 whoever read stdout went away
 */
export const exitCodes = {
  succeeded: 0,
  functionFailed: 1,
  usage: 2,
  unavailable: 3,
  timedOut: 4,
  lost: 5,
  cancelled: 130,
  readerGone: 141,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const ofOutcome: Record<Outcome, ExitCode> = {
  succeeded: exitCodes.succeeded,
  failed: exitCodes.functionFailed,
  oom_killed: exitCodes.functionFailed,
  timed_out: exitCodes.timedOut,
  cancelled: exitCodes.cancelled,
  expired: exitCodes.unavailable,
  rejected: exitCodes.unavailable,
  lost: exitCodes.lost,
};

/** The exit code of an invocation that ended with a result; a rejected one takes that of the error it carries. */
export function exitCodeOfResult(result: InvocationResult): ExitCode {
  if (result.outcome === "rejected" && result.error !== undefined) return exitCodeOfError(LongshoreError.fromShape(result.error));
  return ofOutcome[result.outcome];
}

/** The exit code when we could not give a result. Unavailable in the middle of execution means that nobody knows whether it ran. */
export function exitCodeOfError(error: LongshoreError): ExitCode {
  if (error.code === "invalid_argument") return exitCodes.usage;
  if (error.code === "deadline_exceeded") return exitCodes.timedOut;
  if (error.code === "cancelled") return exitCodes.cancelled;
  return error.code === "unavailable" && error.phase === "execution" ? exitCodes.lost : exitCodes.unavailable;
}
