import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { FileTree } from "./file-tree.ts";
import { findProgram, treeOfLibraries } from "./host-program.ts";

const run = promisify(execFile);

/** What programs expect of any Linux: users, name look-up, folders. The user `node` is 1000, as in the public image of that name. */
export const skeleton: FileTree = {
  "/etc/passwd": {
    content: "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
  },
  "/etc/group": { content: "root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n" },
  "/etc/nsswitch.conf": { content: "passwd: files\ngroup: files\nhosts: files dns\n" },
  "/home/node": { directory: true, ownerId: 1000 },
  "/root": { directory: true, mode: 0o700 },
  "/tmp": { directory: true, mode: 0o1777 },
};

/** A file system whose `node` is the Node that runs us. It has no shell. */
export async function nodeTree(): Promise<FileTree> {
  return {
    ...skeleton,
    ...(await treeOfLibraries([process.execPath])),
    "/usr/local/bin/node": { source: process.execPath, mode: 0o755 },
  };
}

/** A file system of small Unix programs: this host's busybox, or where there is none some of this host's own programs. */
export async function busyboxTree(): Promise<FileTree> {
  const busybox = findProgram("busybox");
  return { ...skeleton, ...(busybox === undefined ? await ownPrograms() : await busyboxPrograms(busybox)) };
}

async function busyboxPrograms(busybox: string): Promise<FileTree> {
  const { stdout } = await run(busybox, ["--list"]);
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox");
  return {
    ...(await treeOfLibraries([busybox])),
    "/bin/busybox": { source: busybox, mode: 0o755 },
    ...Object.fromEntries(applets.map((name) => [`/bin/${name}`, { link: "busybox" }])),
  };
}

const unixPrograms = "sh awk basename cat chmod cp cut date dd dirname echo env expr false find grep head id ls mkdir mv od printf pwd rm sed seq sleep sort tail tee test touch tr true uname uniq wc xargs";

async function ownPrograms(): Promise<FileTree> {
  const programs = unixPrograms.split(" ").flatMap((name) => {
    const path = findProgram(name);
    return path === undefined ? [] : [{ name, path }];
  });
  return {
    ...(await treeOfLibraries(programs.map(({ path }) => path))),
    ...Object.fromEntries(programs.map(({ name, path }) => [`/bin/${name}`, { source: path, mode: 0o755 }])),
  };
}
