import { describe, expect, it } from "vitest";
import { createRate } from "./rate.ts";

describe("createRate()", () => {
  it("tells nothing until some time has passed, then what came per second", () => {
    const rate = createRate();
    expect(rate.add(0, 1_000)).toBeUndefined();
    expect(rate.add(10, 1_100)).toBeUndefined();
    expect(rate.add(500, 1_500)).toBe(1_000);
  });

  it("forgets what is older than a few seconds", () => {
    const rate = createRate();
    rate.add(0, 0);
    rate.add(1_000_000, 1_000);
    expect(rate.add(1_000_000, 7_000)).toBe(0);
  });

  it("begins anew where the amount falls", () => {
    const rate = createRate();
    rate.add(100, 0);
    rate.add(900, 1_000);
    expect(rate.add(0, 1_500)).toBeUndefined();
    expect(rate.add(50, 2_000)).toBe(100);
  });
});
