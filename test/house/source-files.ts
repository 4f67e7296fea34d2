import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

export const rootFolder = join(import.meta.dirname, "../..");
export const packagesFolder = join(rootFolder, "packages");

/** A file of the repository: its path from the root, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Every TypeScript file under packages. */
export function sourceFiles(): SourceFile[] {
  return filesUnder(packagesFolder, (name) => /\.tsx?$/.test(name));
}

/** Every file below a folder whose name passes, without what is installed or built. */
export function filesUnder(folder: string, wanted: (name: string) => boolean): SourceFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ["node_modules", "dist", ".git", ".cache"].includes(entry.name) ? [] : filesUnder(path, wanted);
    return entry.isFile() && wanted(entry.name) ? [{ path: relative(rootFolder, path), text: readFileSync(path, "utf8") }] : [];
  });
}

/** The module specifiers that a file imports, and whether at run time (`import()`). */
export function importsOf(text: string): { specifier: string; isDynamic: boolean }[] {
  const statics = [...text.matchAll(/^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/gm)];
  const dynamics = [...text.matchAll(/\bimport\(\s*["']([^"']+)["']\s*\)/g)];
  return [
    ...statics.map((match) => ({ specifier: match[1] ?? match[2] ?? "", isDynamic: false })),
    ...dynamics.map((match) => ({ specifier: match[1] ?? "", isDynamic: true })),
  ];
}
