import { describe, expect, it } from "vitest";
import { RecentKeys } from "./recent-keys.ts";

describe("recent keys", () => {
  it("knows at least the latest so many, and forgets the oldest", () => {
    const keys = new RecentKeys(10);
    for (let index = 0; index < 25; index += 1) expect(keys.add(`k${index}`)).toBe(true);
    for (let index = 15; index < 25; index += 1) expect(keys.add(`k${index}`)).toBe(false);
    expect(keys.add("k0")).toBe(true);
  });
});
