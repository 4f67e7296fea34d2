import { constants } from "node:os";

const names = new Map<number, string>();
// Where two names share a number (SIGABRT and SIGIOT) the first one listed is the usual one.
for (const [name, number] of Object.entries(constants.signals)) if (!names.has(number)) names.set(number, name);

/** `SIGSEGV` for 11; undefined for what is no signal's number. */
export function signalName(number: number): string | undefined {
  return names.get(number);
}
