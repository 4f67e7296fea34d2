import type { LogFilter, LogLine } from "@longshore/protocol";

/** Whose lines, and which of them. */
export interface LogQuery extends LogFilter {
  readonly functionName?: string | undefined;
  readonly invocationId?: string | undefined;
}

/** Whether a line is one that was asked for: an agent may not know every part of the question. What is nobody's output always is. */
export function isAskedFor({ invocationId, instanceId, stream }: LogQuery, line: LogLine): boolean {
  if (line.stream === "system" && line.instanceId === "") return true;
  return (invocationId === undefined || line.invocationId === invocationId) && (instanceId === undefined || line.instanceId === instanceId) && (stream === undefined || line.stream === stream);
}
