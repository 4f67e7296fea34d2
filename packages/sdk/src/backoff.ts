const firstMs = 100;
const longestMs = 3_000;

/**
 * How long to wait before trying again after that many failures in a row (at least one): between half and the whole of a length that
 * doubles up to 3 s, so that many clients of one broker do not come back in step.
 */
export function backoffMs(failures: number, random: number = Math.random()): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (0.5 + random / 2);
}
