import type { LogLine } from "@longshore/protocol";

/** A line as an instance wrote it. */
export function logLine(line: string, changes: Partial<LogLine> = {}): LogLine {
  return { at: "2026-11-25T00:00:00.000Z", siteId: "plant", agentId: "agent-1", instanceId: "instance-1", functionName: "resize", revisionId: "resize-r1", stream: "stdout", line, ...changes };
}
