import { describe, expect, it } from "vitest";
import { instantOf } from "./instant.ts";

describe("instantOf()", () => {
  it.each([
    ["2026-11-28T20:04:01Z", "2026-11-28T20:04:01.000000000Z"],
    ["2026-11-28T20:04:01.5Z", "2026-11-28T20:04:01.500000000Z"],
    ["2026-11-28T20:04:01.000000001Z", "2026-11-28T20:04:01.000000001Z"],
    ["2026-11-28T20:04:01.1234567899Z", "2026-11-28T20:04:01.123456789Z"],
    ["2026-11-29T01:34:01.25+05:30", "2026-11-28T20:04:01.250000000Z"],
  ])("writes %s in the one form", (text, instant) => {
    expect(instantOf(text)).toBe(instant);
  });

  it("keeps the order of what lies less than a millisecond apart", () => {
    const texts = ["2026-11-28T20:04:01.1Z", "2026-11-28T20:04:01.10000001Z", "2026-11-28T20:04:01.100001Z", "2026-11-28T20:04:02Z"];
    expect(texts.map(instantOf).toSorted()).toEqual(texts.map(instantOf));
  });

  it("takes nothing that is no time", () => {
    expect(() => instantOf("yesterday")).toThrow(RangeError);
  });
});
