import { pino } from "pino";

/** A log for tests: silent, or as loud as LONGSHORE_TEST_LOG says. */
export const silentLog = pino({ level: process.env["LONGSHORE_TEST_LOG"] ?? "silent" });
