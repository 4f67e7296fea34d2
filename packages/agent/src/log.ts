import { type Logger, pino } from "pino";

export type { Logger };

/** The agent's log: JSON lines on stderr's side of the process (stdout stays free), secrets and payloads redacted by name. */
export function createLog(level: string, destination: NodeJS.WritableStream = process.stderr): Logger {
  return pino(
    { level, base: { process: "agent" }, timestamp: pino.stdTimeFunctions.isoTime, redact: ["*.secrets", "*.env", "*.jwt", "*.seed", "*.token", "*.password", "*.credential"] },
    destination,
  );
}
