import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tar from "tar-stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type FileTree, fingerprintTree, packTree } from "./file-tree.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-tree-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Unpacks a tree's archive: what a reader of the tar sees, in order. */
async function unpack(tree: FileTree): Promise<{ header: tar.Headers; content: string }[]> {
  const entries: { header: tar.Headers; content: string }[] = [];
  const extract = tar.extract();
  extract.on("entry", (header, stream, next) => {
    let content = "";
    stream.on("data", (chunk) => (content += String(chunk))).on("end", () => {
      entries.push({ header, content });
      next();
    });
  });
  packTree(tree).on("error", (error) => extract.destroy(error)).pipe(extract);
  await new Promise((resolve, reject) => extract.on("finish", resolve).on("error", reject));
  return entries;
}

describe("packTree()", () => {
  test("writes every folder on the way before what it holds", async () => {
    const entries = await unpack({ "/a/b/file": { content: "hello", mode: 0o755 }, "/a/link": { link: "b/file" }, "/tmp/x": { content: "" } });
    expect(entries.map(({ header }) => [header.name.replace(/\/$/, ""), header.type, header.mode])).toEqual([
      ["a", "directory", 0o755],
      ["a/b", "directory", 0o755],
      ["a/b/file", "file", 0o755],
      ["a/link", "symlink", 0o644],
      ["tmp", "directory", 0o1777],
      ["tmp/x", "file", 0o644],
    ]);
    expect(entries[2]?.content).toBe("hello");
  });

  test("copies files of this host, larger than any buffer", async () => {
    const source = join(folder, "large");
    writeFileSync(source, "x".repeat(300_000));
    const [, entry] = await unpack({ "/opt/large": { source, ownerId: 1000 } });
    expect(entry?.content).toHaveLength(300_000);
    expect(entry?.header).toMatchObject({ uid: 1000, gid: 1000 });
  });

  test("breaks when a source is not there, and when a path is relative", async () => {
    await expect(unpack({ "/opt/none": { source: join(folder, "none") } })).rejects.toThrow("ENOENT");
    expect(() => packTree({ "opt/file": { content: "" } })).toThrow("not absolute");
  });
});

describe("fingerprintTree()", () => {
  test("is the same for equal trees, whatever the order of their paths", async () => {
    const [one, other] = await Promise.all([
      fingerprintTree({ "/a": { content: "1" }, "/b": { link: "a" } }),
      fingerprintTree({ "/b": { link: "a" }, "/a": { content: Buffer.from("1") } }),
    ]);
    expect(other).toBe(one);
  });

  test("changes with content, mode, place and the size of a source", async () => {
    const source = join(folder, "program");
    writeFileSync(source, "1");
    const trees = [{ "/a": { content: "1" } }, { "/a": { content: "2" } }, { "/a": { content: "1", mode: 0o755 } }, { "/b": { content: "1" } }, { "/a": { source } }];
    const names = await Promise.all(trees.map(fingerprintTree));
    writeFileSync(source, "12");
    names.push(await fingerprintTree({ "/a": { source } }));
    expect(new Set(names).size).toBe(6);
  });
});
