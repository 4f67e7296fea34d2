/** An image that this agent brought, as far as a removal depends on it. */
export interface RemovableImage {
  readonly imageId: string;
  readonly sizeBytes: number;
  readonly lastUsedMs: number;
  /** A current revision runs from it: it would be pulled again. */
  readonly isCurrent: boolean;
  /** It has an instance, a held one too, or a start or a pull of it is under way. */
  readonly isInUse: boolean;
}

/** How much images may take, and for how long. */
export interface RemovalLimits {
  /** What all of them may take together. */
  readonly quotaBytes: number;
  /** Undefined where it cannot be told. */
  readonly diskFreeBytes: number | undefined;
  readonly minFreeBytes: number;
  readonly nowMs: number;
  readonly unusedForMs: number;
}

/**
 * The images to remove now, in that order. Invariants: C1 none that is in use. C2 one of a current revision only while the quota or the
 * disk asks for room that the others do not give. C3 of equals the least recently used goes first. C4 what is not asked for by the quota
 * or the disk goes only when it is neither current nor was used for `unusedForMs`.
 */
export function chooseRemovals<Image extends RemovableImage>(images: Iterable<Image>, limits: RemovalLimits): Image[] {
  const all = [...images];
  const overQuota = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, -limits.quotaBytes);
  const short = limits.diskFreeBytes === undefined ? 0 : limits.minFreeBytes - limits.diskFreeBytes;
  let excessBytes = Math.max(overQuota, short);
  return all
    .filter(({ isInUse }) => !isInUse) // C1
    .sort((a, b) => Number(a.isCurrent) - Number(b.isCurrent) || a.lastUsedMs - b.lastUsedMs) // C2, C3
    .filter((image) => {
      const isStale = !image.isCurrent && limits.nowMs - image.lastUsedMs >= limits.unusedForMs; // C4
      if (excessBytes <= 0 && !isStale) return false;
      excessBytes -= image.sizeBytes;
      return true;
    });
}
