import type { LogLine } from "@longshore/protocol";
import type { Clock } from "../clock.ts";
import { type FloodBudget, FloodGate } from "./flood-gate.ts";

/** Takes the output of one instance apart into lines. */
export interface LogWriter {
  write(stream: "stdout" | "stderr", bytes: Uint8Array): void;
  /** A line of the agent's own about the instance. */
  system(line: string): void;
  /** Lines from now on belong to this invocation: the instance serves no other. */
  belongsTo(invocationId: string): void;
  /** The invocation is over: what it wrote is there now, an unfinished line too. */
  flush(): void;
  /** The output is over. */
  end(): void;
}

export interface LogWriterOptions {
  readonly clock: Clock;
  readonly budget: FloodBudget;
  /** Where the lines come from. */
  readonly origin: Pick<LogLine, "siteId" | "agentId" | "instanceId" | "functionName" | "revisionId">;
  readonly append: (line: LogLine) => void;
}

/** Makes the writer of one instance. */
export function createLogWriter({ clock, budget, origin, append }: LogWriterOptions): LogWriter {
  let invocationId: string | undefined;
  const write = (stream: LogLine["stream"], line: string) => {
    const at = new Date(clock.wallMs()).toISOString();
    append({ at, ...origin, ...(invocationId !== undefined && { invocationId }), stream, line });
  };
  const gateOf = (stream: "stdout" | "stderr") =>
    new FloodGate({ clock, budget, onLine: (line) => write(stream, line), onCut: (bytes) => write("system", `… ${bytes} bytes of ${stream} cut here: written faster than logs are kept`) });
  const gates = { stdout: gateOf("stdout"), stderr: gateOf("stderr") };
  const flush = () => {
    for (const gate of Object.values(gates)) gate.flush();
  };
  return {
    write: (stream, bytes) => gates[stream].push(bytes),
    system: (line) => write("system", line),
    belongsTo(id) {
      flush();
      invocationId = id;
    },
    flush,
    end: flush,
  };
}
