const firstMs = 100;
const longestMs = 10_000;

/**
 * How long to wait before trying again after that many failures in a row (0: the connection had worked and broke): a random part of
 * a length that doubles up to 10 s, so that many clients of one broker do not come back in step.
 */
export function backoffMs(failures: number, random: number = Math.random()): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(failures, 20)) * (failures === 0 ? random : 0.5 + random / 2);
}
