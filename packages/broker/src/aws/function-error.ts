import type { InvocationResult } from "@longshore/protocol";

/** A failure as AWS's clients read it: the answer's body, with `X-Amz-Function-Error` beside it. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** What is told of a run that ended without an answer of the function's own; in AWS's words where it has some. */
export function functionErrorOf(result: InvocationResult, { invocationId, timeoutMs }: { readonly invocationId: string; readonly timeoutMs: number }): FunctionError {
  const told = (errorType: string, what: string) => ({ errorType, errorMessage: `RequestId: ${invocationId} Error: ${what}` });
  switch (result.outcome) {
    case "timed_out":
      return told("Sandbox.Timedout", `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`);
    case "oom_killed":
      return told("Runtime.OutOfMemory", "Runtime exited with error: signal: killed (out of memory)");
    default:
      if (result.exitCode !== undefined) return told("Runtime.ExitError", `Runtime exited ${result.exitCode === 0 ? "without providing a reason" : `with error: exit status ${result.exitCode}`}`);
      if (result.signal !== undefined) return told("Runtime.ExitError", `Runtime exited with error: signal: ${result.signal}`);
      return told("Runtime.Unknown", result.message ?? "The function failed");
  }
}

/** True where the run says of the function itself how it went; else no result could be given. */
export function isFunctions(result: InvocationResult): boolean {
  return result.outcome === "succeeded" || result.outcome === "failed" || result.outcome === "timed_out" || result.outcome === "oom_killed";
}
