import type { DiskSpace } from "../engine/engine.ts";

/** Pressure ends a little above where it began, so that it does not come and go with every file. */
const relief = 1.1;

/** So much has to be free before a host that was short is short no more. */
export function reliefBytes(minFreeBytes: number): number {
  return Math.ceil(minFreeBytes * relief);
}

/** Tells whether a host is short of disk, from what is free and whether it was short before. Where nothing can be told it is not. */
export function isShortOfDisk(space: DiskSpace | undefined, minFreeBytes: number, wasShort: boolean): boolean {
  return space !== undefined && space.freeBytes < (wasShort ? reliefBytes(minFreeBytes) : minFreeBytes);
}
