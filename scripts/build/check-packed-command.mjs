import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodePath } from "../setup/node.mjs";
import { runPnpm } from "../setup/pnpm.mjs";
import { runCommand } from "../setup/run-command.mjs";

/**
 * Installs the packed packages in an empty folder, as a user would, and starts the command line from there. Throws a SetupFailure with
 * what it printed. Returns what it proved.
 * @param {string} archives a folder with one archive for each package
 */
export async function checkPackedCommand(archives) {
  const folder = mkdtempSync(join(tmpdir(), "longshore-packed-"));
  try {
    writeProject(folder, archives);
    await runPnpm(["install", "--prefer-offline", "--ignore-scripts"], { cwd: folder });
    const command = join(folder, "node_modules", "longshore", "bin", "longshore.mjs");
    await runCommand(nodePath(), [command, "--help"], { cwd: folder });
    return "longshore --help works";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A project that depends on the command line; the packages that have not been published yet come from their archives. */
function writeProject(/** @type {string} */ folder, /** @type {string} */ archives) {
  const places = Object.fromEntries(readdirSync(archives).map((file) => [packageName(file), `file:${join(archives, file)}`]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "packed", private: true, dependencies: { longshore: places.longshore } }));
  // JSON is YAML.
  writeFileSync(join(folder, "pnpm-workspace.yaml"), JSON.stringify({ overrides: places }));
}

/** `longshore-agent-0.1.0.tgz` is `@longshore/agent`. */
function packageName(/** @type {string} */ file) {
  return file.replace(/-\d+\.\d+\.\d+.*\.tgz$/, "").replace(/^longshore-/, "@longshore/");
}
