import { chmodSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const fileOfArchitecture = new Map([
  ["x86_64", "hold-linux-x64"],
  ["amd64", "hold-linux-x64"],
  ["aarch64", "hold-linux-arm64"],
  ["arm64", "hold-linux-arm64"],
]);
const othersMayRun = 0o005;

/**
 * The path of `hold` on this machine for an architecture as an engine or an image names it (`x86_64`, `arm64`); undefined when there
 * is none that every user of a container can execute: then programs are started plainly.
 */
export function findHold(architecture: string): string | undefined {
  const file = fileOfArchitecture.get(architecture);
  if (file === undefined) return undefined;
  const path = fileURLToPath(new URL(`prebuilt/${file}`, import.meta.url));
  return canOthersRun(path) ? path : undefined;
}

/** Installed under a strict umask it is for its owner alone, and a container's user is someone else: mended where we may. */
function canOthersRun(path: string): boolean {
  try {
    if ((statSync(path).mode & othersMayRun) !== othersMayRun) chmodSync(path, 0o755);
    return true;
  } catch {
    return false;
  }
}
