import { lstatSync, readdirSync, readlinkSync } from "node:fs";
import { join, posix } from "node:path";
import type { FileEntry, FileTree } from "longshore/local-images";

/** A folder of this host, with its symbolic links as they are, to lie at an absolute path; `keep` chooses by the path below it. */
export function treeOfFolder(folder: string, at = "/", keep: (path: string) => boolean = () => true): FileTree {
  const tree: Record<string, FileEntry> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const source = join(entry.parentPath, entry.name);
    const path = source.slice(folder.length + 1);
    if (entry.isDirectory() || !keep(path)) continue;
    tree[posix.join(at, path)] = entry.isSymbolicLink() ? { link: readlinkSync(source) } : { source, mode: lstatSync(source).mode & 0o777 };
  }
  return tree;
}
