/** Buckets for each doubling: four keep a bucket's middle within 9.1 % of whatever fell into it. Summaries on the bus are written by it: it never changes. */
const bucketsPerDoubling = 4;
/** The first bucket begins at 2^-5 ms, the last ends at 2^22 ms (70 minutes): what is shorter or longer counts as that. */
const [firstExponent, lastExponent] = [-5, 22];
export const bucketCount = (lastExponent - firstExponent) * bucketsPerDoubling;

/** The bucket of a duration. */
export function bucketOf(durationMs: number): number {
  const bucket = Math.floor((Math.log2(durationMs) - firstExponent) * bucketsPerDoubling);
  return bucket >= 0 ? Math.min(bucket, bucketCount - 1) : 0; // Also for what is no duration.
}

/** What a bucket's durations are taken for: the geometric middle. */
export function middleOfBucket(bucket: number): number {
  return 2 ** (firstExponent + (bucket + 0.5) / bucketsPerDoubling);
}

/** Durations as they are kept and sent: a bucket and its count in turn, in order of buckets, empty ones left out. */
export type BucketCounts = readonly number[];

/** Several as one. */
export function mergeBuckets(all: readonly BucketCounts[]): number[] {
  const counts = new Uint32Array(bucketCount);
  for (const buckets of all) {
    for (let at = 0; at < buckets.length; at += 2) {
      const bucket = buckets[at] ?? 0;
      counts[bucket] = (counts[bucket] ?? 0) + (buckets[at + 1] ?? 0);
    }
  }
  return bucketsOf(counts);
}

/** The same of counts by bucket. */
export function bucketsOf(counts: Uint32Array): number[] {
  const buckets: number[] = [];
  for (let bucket = 0; bucket < counts.length; bucket += 1) {
    const count = counts[bucket] ?? 0;
    if (count > 0) buckets.push(bucket, count);
  }
  return buckets;
}

/** How many durations there are. */
export function countOf(buckets: BucketCounts): number {
  let count = 0;
  for (let at = 1; at < buckets.length; at += 2) count += buckets[at] ?? 0;
  return count;
}

/** The duration that a share of all do not exceed, within 10 %; 0 where there is none. */
export function percentile(buckets: BucketCounts, share: number): number {
  const rank = Math.max(1, Math.ceil(share * countOf(buckets)));
  let below = 0;
  for (let at = 0; at < buckets.length; at += 2) {
    below += buckets[at + 1] ?? 0;
    if (below >= rank) return middleOfBucket(buckets[at] ?? 0);
  }
  return 0;
}
