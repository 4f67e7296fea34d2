import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { type BucketCounts, bucketCount, bucketOf, bucketsOf, countOf, mergeBuckets, middleOfBucket, percentile } from "./duration-histogram.ts";

function bucketsFrom(durations: readonly number[]): BucketCounts {
  const counts = new Uint32Array(bucketCount);
  for (const duration of durations) counts[bucketOf(duration)]! += 1;
  return bucketsOf(counts);
}

describe("the duration histogram", () => {
  it.each([1, 7, 4_711])("tells percentiles within 10 %% of the exact ones (seed %d)", (seed) => {
    const random = seededRandom(seed);
    const durations = Array.from({ length: 5_000 }, () => 0.05 * 10 ** (random() * 7));
    const sorted = durations.toSorted((a, b) => a - b);
    for (const share of [0, 0.01, 0.5, 0.9, 0.99, 1]) {
      const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
      const told = percentile(bucketsFrom(durations), share);
      expect(Math.abs(told - exact) / exact, `${share}`).toBeLessThan(0.1);
    }
  });

  it("takes every number for a bucket that it has", () => {
    for (const duration of [0, -1, Number.NaN, 1e-9, 0.031, 1, 3_600_000, 1e12, Infinity]) {
      expect(bucketOf(duration)).toBeGreaterThanOrEqual(0);
      expect(bucketOf(duration)).toBeLessThan(bucketCount);
    }
    expect(Math.abs(middleOfBucket(bucketOf(1)) - 1)).toBeLessThan(0.1);
  });

  it("is the same merged as counted at once", () => {
    const [some, others] = [[1, 2, 3, 1000], [2, 5, 0.1]];
    expect(mergeBuckets([bucketsFrom(some), bucketsFrom(others), []])).toEqual(bucketsFrom([...some, ...others]));
    expect(countOf(bucketsFrom([...some, ...others]))).toBe(7);
    expect([mergeBuckets([]), countOf([]), percentile([], 0.5)]).toEqual([[], 0, 0]);
  });
});
