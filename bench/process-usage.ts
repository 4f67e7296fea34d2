import { readFileSync } from "node:fs";

const ticksPerSecond = 100;
const pageBytes = 4096;

/** Processor seconds that processes have used so far. */
export function processorSeconds(ids: readonly number[]): number {
  return ids.reduce((sum, id) => {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }, 0);
}

/** Resident memory of a process. */
export function residentBytes(id: number): number {
  return Number(readFileSync(`/proc/${id}/statm`, "utf8").split(" ")[1]) * pageBytes;
}
