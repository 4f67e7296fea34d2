import { expect, it } from "vitest";
import { visibleRows } from "./visible-rows.ts";

it("gives the rows that are seen, and never more than a screen and its spare", () => {
  expect(visibleRows({ scrollTop: 0, height: 300, rowHeight: 30, count: 10_000 })).toEqual({ from: 0, until: 18 });
  expect(visibleRows({ scrollTop: 150_000, height: 300, rowHeight: 30, count: 10_000 })).toEqual({ from: 4992, until: 5018 });
  expect(visibleRows({ scrollTop: 999_999, height: 300, rowHeight: 30, count: 20 })).toEqual({ from: 20, until: 20 });
  expect(visibleRows({ scrollTop: -50, height: 300, rowHeight: 30, count: 3 })).toEqual({ from: 0, until: 3 });
  expect(visibleRows({ scrollTop: 0, height: 300, rowHeight: 30, count: 0 })).toEqual({ from: 0, until: 0 });
});
