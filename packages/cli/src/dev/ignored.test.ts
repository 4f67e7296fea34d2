import { describe, expect, it } from "vitest";
import { readIgnored } from "./ignored.ts";

describe("readIgnored()", () => {
  it.each([
    ["node_modules", ["node_modules", "node_modules/a/b.js"], ["src/node_modules/a", "node_modules2"]],
    ["/build/\n# a comment\n", ["build/x"], ["a/build/x"]],
    ["*.log", ["a.log"], ["logs/a.log", "a.log.txt"]],
    ["**/*.log", ["a.log", "x/y/a.log"], ["a.logs"]],
    ["docs/**", ["docs/a/b.md"], ["docs2/a"]],
    ["te?t", ["test/a", "text"], ["tet", "te/t"]],
    ["[ab].txt", ["a.txt"], ["c.txt"]],
    ["*\n!keep.txt", ["a", "x/y"], ["keep.txt"]],
    ["*.md\n!README.md\nREADME.md", ["README.md"], ["x.txt"]],
    ["*\n.", [], ["Dockerfile", ".dockerignore", "longshore.yaml"]],
    ["[z-a]\na.b+", ["a.b+"], ["aab+", "z"]],
  ])("reads %j as the engine does", (text, ignored, kept) => {
    const isIgnored = readIgnored(text);
    expect(ignored.filter((path) => !isIgnored(path))).toEqual([]);
    expect(kept.filter(isIgnored)).toEqual([]);
  });

  it("leaves out what editors and tools leave beside what they save", () => {
    const isIgnored = readIgnored("");
    for (const path of [".#main.py", "#main.py#", "main.py~", "src/.main.py.swp", "4913", "src/4913", ".goutputstream-X1", "a.js___jb_tmp___", ".git/index.lock", "x/.DS_Store"]) expect(isIgnored(path), path).toBe(true);
    for (const path of ["main.py", "49130", ".github/x", "swp", ""]) expect(isIgnored(path), path).toBe(false);
  });
});
