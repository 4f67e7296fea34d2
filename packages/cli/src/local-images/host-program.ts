import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { FileTree } from "./file-tree.ts";

const run = promisify(execFile);

/** The path of a program on this host, or undefined. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/bin", "/usr/bin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The shared libraries that executables (or libraries) load, with the loader itself, each at its path on this host. */
export async function treeOfLibraries(executables: readonly string[]): Promise<FileTree> {
  // `libc.so.6 => /lib/…/libc.so.6 (0x…)`, or the loader alone: `/lib64/ld-linux-x86-64.so.2 (0x…)`.
  const paths = [...(await runLdd(executables)).matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].flatMap((match) => match[1] ?? []);
  return Object.fromEntries(paths.map((path) => [path, { source: path, mode: 0o755 }]));
}

async function runLdd(executables: readonly string[]): Promise<string> {
  try {
    return (await run("ldd", executables)).stdout;
  } catch (error) {
    // It ends with 1 when one of them is static, and so needs no libraries; the others it has told about.
    const { code, stdout } = error as { code?: unknown; stdout?: string };
    if (code === 1) return stdout ?? "";
    throw error;
  }
}
