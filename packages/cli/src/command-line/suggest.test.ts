import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "./suggest.ts";

describe("editDistance()", () => {
  it.each([
    ["", "", 0],
    ["deploy", "deploy", 0],
    ["dpeloy", "deploy", 1],
    ["deplo", "deploy", 1],
    ["kitten", "sitting", 3],
    ["", "abc", 3],
  ])("of %j and %j is %i", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
    expect(editDistance(to, from)).toBe(distance);
  });
});

describe("nearest()", () => {
  it("finds a slip or a beginning, and nothing for something else", () => {
    expect(nearest("inovke", ["deploy", "invoke"])).toBe("invoke");
    expect(nearest("--mem", ["--memory", "--timeout"])).toBe("--memory");
    expect(nearest("frobnicate", ["deploy", "invoke"])).toBeUndefined();
  });
});
