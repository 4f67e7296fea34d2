import { type Logger, pino } from "pino";

export type { Logger };

/** The broker's log: JSON lines, by default on stderr; secrets, environments and payloads are redacted by name. */
export function createLog(level: string, destination: NodeJS.WritableStream = process.stderr): Logger {
  return pino(
    { level, base: { process: "broker" }, timestamp: pino.stdTimeFunctions.isoTime, redact: ["*.secrets", "*.env", "*.jwt", "*.seed", "*.token", "*.key", "*.authorization", "*.payload"] },
    destination,
  );
}
