import { expect, it } from "vitest";
import { formatAgo, formatBytes, formatCount, formatMs, formatTime } from "./quantity.ts";

it("formats sizes with three digits and a unit", () => {
  expect([0, 999, 1024, 1536, 10 * 2 ** 20, 256 * 2 ** 20, 2 ** 40].map(formatBytes)).toEqual(["0 B", "999 B", "1 KiB", "1.5 KiB", "10 MiB", "256 MiB", "1 TiB"]);
});

it("formats times by their length", () => {
  expect([0, 0.4234, 38.4, 1250, 12_340, 200_000, 7_500_000, 273_600_000].map(formatMs)).toEqual(["0 ms", "0.42 ms", "38 ms", "1.25 s", "12.3 s", "3 min 20 s", "2 h 5 min", "3 d 4 h"]);
  expect([formatAgo(1000, 1900), formatAgo(0, 12_200)]).toEqual(["now", "12 s ago"]);
});

it("formats counts so that they keep their width", () => {
  expect([0, 7, 12_045, 123_456, 4_512_000, 0.25, 12.34].map(formatCount)).toEqual(["0", "7", "12,045", "123.5 k", "4.5 M", "0.25", "12.3"]);
});

it("shows what is no moment as it stands", () => {
  expect(formatTime("never")).toBe("never");
  expect(formatTime("2026-11-28T20:00:00.125Z")).toMatch(/^\d\d:\d\d:\d\d\.125$/);
});
