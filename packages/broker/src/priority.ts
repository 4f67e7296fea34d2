import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * Has a process go before others for the processors of its host, where this one may say so (root, or CAP_SYS_NICE): whatever runs stands still
 * while its bus does, and containers that begin beside it, each a second of processor time and more, would keep each of its writes waiting a hundred
 * times as long as it takes. Without the right, or of a process that is gone, it stays as it is.
 */
export function goFirst(pid: number): void {
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(thread, constants.priority.PRIORITY_ABOVE_NORMAL);
    } catch {
      // It may not, or is gone.
    }
  }
}

/** Linux gives each thread a priority of its own, which those that it begins inherit; elsewhere the process has one. */
function threadsOf(pid: number): readonly number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return [pid];
  }
}
