import { readFileSync, renameSync, writeFileSync } from "node:fs";

/** Writes a file that only its owner may read, whole or not at all. */
export function writeSecret(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.new`, content, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Reads a JSON file; undefined when it is not there or damaged. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}
