import { describe, expect, it } from "vitest";
import { sourceFiles } from "./source-files.ts";

/** Crowded files are where a house goes wrong first: nine in ten under 300 lines, none over 450. */
const sizes = () =>
  sourceFiles()
    .filter(({ path }) => !path.includes(".test.") && !path.includes("/testing/"))
    .map(({ path, text }) => ({ path, lines: text.split("\n").length }));

describe("source files", () => {
  it("are one idea each: none over 450 lines, nine in ten under 300", () => {
    const all = sizes();
    expect(all.filter(({ lines }) => lines > 450)).toEqual([]);
    expect(all.filter(({ lines }) => lines <= 300).length / all.length).toBeGreaterThanOrEqual(0.9);
  });

  it("bear the name of an idea", () => {
    const vague = /(^|\/)(utils?|common|helpers?|types|managers?|misc)(\.tsx?$|\/)/;
    expect(sizes().filter(({ path }) => vague.test(path))).toEqual([]);
    expect(vague.test("packages/broker/src/utils.ts")).toBe(true);
  });
});
