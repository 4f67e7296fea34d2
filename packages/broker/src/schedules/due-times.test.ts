import { describe, expect, it } from "vitest";
import { lastDues, nextDue } from "./due-times.ts";

const everyTen = { everyMs: 10_000, anchorMs: 1_000_003 };
const minutely = { cron: "* * * * *", timeZone: "UTC" };

describe("nextDue()", () => {
  it.each([[0, 1_010_003], [1_000_003, 1_010_003], [1_010_002, 1_010_003], [1_010_003, 1_020_003], [1_019_999, 1_020_003]])("counts an interval from its anchor on, which is no due time itself: after %i comes %i", (after, expected) => {
    expect(nextDue(everyTen, after)).toBe(expected);
  });
});

describe("lastDues()", () => {
  it("gives what came due in between, the end included and the beginning not", () => {
    expect(lastDues(everyTen, 1_010_003, 1_040_003, 9)).toEqual([1_020_003, 1_030_003, 1_040_003]);
    expect(lastDues(everyTen, 1_010_003, 1_020_002, 9)).toEqual([]);
    expect(lastDues(minutely, 60_000, 180_000, 9)).toEqual([120_000, 180_000]);
  });

  it("gives the last ones where there are too many, however long it was", () => {
    const year = 365 * 86_400_000;
    expect(lastDues(minutely, 0, year + 1, 3)).toEqual([year - 120_000, year - 60_000, year]);
    expect(lastDues({ cron: "0 0 1 1 *", timeZone: "Europe/Berlin" }, 0, Date.parse("2026-11-28T00:00Z"), 1)).toEqual([Date.parse("2025-12-31T23:00Z")]);
  });
});
