import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { filesUnder, rootFolder, type SourceFile } from "./source-files.ts";

const documents = () => filesUnder(rootFolder, (name) => name.endsWith(".md"));

/** Links of a document that lead to no file. */
function brokenLinks({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1] ?? "")
    .filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(rootFolder, dirname(path), link)))
    .map((link) => `${path} → ${link}`);
}

/** Files that the documents name in back quotes and that are not there. */
function missingFiles({ path, text }: SourceFile): string[] {
  return [...text.matchAll(/`((?:packages|test|scripts|docs|examples|bench)\/[A-Za-z0-9_./-]+\.[a-z]+)`/g)]
    .map((match) => match[1] ?? "")
    .filter((file) => !existsSync(join(rootFolder, file)))
    .map((file) => `${path} names ${file}`);
}

describe("documents", () => {
  it("link to what is there", () => {
    expect(documents().flatMap(brokenLinks)).toEqual([]);
    expect(brokenLinks({ path: "README.md", text: "[x](docs/none.md)" })).toHaveLength(1);
  });

  it("name files that are there", () => {
    expect(documents().flatMap(missingFiles)).toEqual([]);
    expect(missingFiles({ path: "README.md", text: "`packages/none.ts`" })).toHaveLength(1);
  });
});
