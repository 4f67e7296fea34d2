import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { posix } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";

/** One path of a file system in the making. Owned by root unless `ownerId` says otherwise. */
export type FileEntry =
  | { readonly content: string | Uint8Array; readonly mode?: number; readonly ownerId?: number }
  /** The bytes of a file on this host. */
  | { readonly source: string; readonly mode?: number; readonly ownerId?: number }
  /** A symbolic link. */
  | { readonly link: string }
  | { readonly directory: true; readonly mode?: number; readonly ownerId?: number };

/** A file system by absolute path. Folders on the way need not be named. */
export type FileTree = Readonly<Record<string, FileEntry>>;

/** A tree as a tar archive, written while it is read; it breaks with an error when a source cannot be read. */
export function packTree(tree: FileTree): Readable {
  const pack = tar.pack();
  writeEntries(pack, withFolders(tree)).then(
    () => pack.finalize(),
    (error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))),
  );
  return pack;
}

/**
 * A short name for what a tree holds, equal for equal trees. Files of this host count by place, size and time of change, since the large
 * ones are programs that nobody edits in place.
 */
export async function fingerprintTree(tree: FileTree): Promise<string> {
  const hash = createHash("sha256");
  for (const [path, entry] of Object.entries(withFolders(tree)).sort(byPath)) {
    hash.update(JSON.stringify([path, await describeEntry(entry)])).update("\n");
  }
  return hash.digest("hex").slice(0, 16);
}

async function describeEntry(entry: FileEntry): Promise<unknown> {
  if ("content" in entry) return { ...entry, content: createHash("sha256").update(entry.content).digest("hex") };
  if (!("source" in entry)) return entry;
  const { size, mtimeMs } = await stat(entry.source);
  return { ...entry, size, mtimeMs };
}

/** The tree with every folder named, so that none is left to the engine, which makes them for root alone. */
function withFolders(tree: FileTree): Record<string, FileEntry> {
  const whole: Record<string, FileEntry> = {};
  for (const path of Object.keys(tree)) {
    if (!posix.isAbsolute(path)) throw new TypeError(`Cannot pack ${JSON.stringify(path)}: the path is not absolute`);
    for (let folder = posix.dirname(path); folder !== "/"; folder = posix.dirname(folder)) {
      whole[folder] ??= { directory: true, mode: folder === "/tmp" ? 0o1777 : 0o755 };
    }
  }
  return Object.fromEntries(Object.entries({ ...whole, ...tree }).sort(byPath));
}

/** Folders come before what they hold. */
function byPath([one]: [string, FileEntry], [other]: [string, FileEntry]): number {
  return one < other ? -1 : 1;
}

async function writeEntries(pack: tar.Pack, tree: Readonly<Record<string, FileEntry>>): Promise<void> {
  for (const [path, entry] of Object.entries(tree)) {
    const name = path.slice(1);
    // One time of change for all: equal trees are equal archives.
    const mtime = new Date(0);
    if ("link" in entry) {
      pack.entry({ name, mtime, type: "symlink", linkname: entry.link });
      continue;
    }
    const owner = { uid: entry.ownerId ?? 0, gid: entry.ownerId ?? 0 };
    if ("directory" in entry) pack.entry({ name, mtime, ...owner, type: "directory", mode: entry.mode ?? 0o755 });
    else if ("content" in entry) pack.entry({ name, mtime, ...owner, mode: entry.mode ?? 0o644 }, Buffer.from(entry.content));
    else await copyInto(pack, { name, mtime, ...owner, mode: entry.mode ?? 0o644 }, entry.source);
  }
}

async function copyInto(pack: tar.Pack, header: tar.Headers, source: string): Promise<void> {
  const { size } = await stat(source);
  await pipeline(createReadStream(source), pack.entry({ ...header, size }));
}
