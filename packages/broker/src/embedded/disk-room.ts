import { statfs } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** A server that begins with less of it would be where it was before in a moment. */
const enoughBytes = 16 * 2 ** 20;
const lookMs = 1_000;

/** Resolves once there is room on the disk that a folder is on, or the signal is aborted. A first look comes after a second: what failed to be written may have failed for another reason. */
export async function untilRoom(folder: string, signal: AbortSignal): Promise<void> {
  const isOver = () => signal.aborted;
  while (!isOver()) {
    await delay(lookMs, undefined, { signal }).catch(() => undefined);
    if (isOver() || (await freeBytes(folder)) >= enoughBytes) return;
  }
}

/** None where nobody can tell: a disk that is gone has no room either. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
