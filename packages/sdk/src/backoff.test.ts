import { describe, expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("backoffMs()", () => {
  it("doubles from 100 ms to 3 s, and stays there", () => {
    expect([1, 2, 3, 6, 100, 2_000].map((failures) => backoffMs(failures, 1))).toEqual([100, 200, 400, 3_000, 3_000, 3_000]);
  });

  it("lies between half of that and the whole", () => {
    expect([0, 0.5].map((random) => backoffMs(3, random))).toEqual([200, 300]);
  });
});
