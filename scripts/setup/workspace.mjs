import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pnpm, runPnpm } from "./pnpm.mjs";

/** The root of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const stampPath = join(root, "node_modules", ".longshore-stamp");

/** The workspace's dependencies, exactly as the lock file has them. @type {import("./need.mjs").Need} */
export const dependencies = {
  name: "Dependencies",
  find: async () => (isInstalled() ? "as in the lock file" : undefined),
  obstacle: async () => undefined,
  byHand: "run pnpm install",
  provide: async (say) => {
    say("pnpm install");
    const fingerprint = fingerprintOfWorkspace();
    await runPnpm(["install", "--frozen-lockfile", "--prefer-offline"], {
      cwd: root,
      advice: "If the lock file is out of date run pnpm install; else check that this machine reaches its npm registry (npm ping).",
    });
    writeFileSync(stampPath, fingerprint);
    return "as in the lock file";
  },
};

/** pnpm where only the dependencies want it: nothing needs it once they are there. @type {import("./need.mjs").Need} */
export const pnpmForDependencies = { ...pnpm, find: async () => (isInstalled() ? "not needed" : pnpm.find()) };

function isInstalled() {
  return existsSync(stampPath) && readFileSync(stampPath, "utf8") === fingerprintOfWorkspace();
}

/** Changes whenever an install could end differently: the lock file, the workspace's settings, each package's own file. */
function fingerprintOfWorkspace() {
  const packages = readdirSync(join(root, "packages")).map((name) => join("packages", name));
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...[".", "bench", "test", ...packages].map((folder) => join(folder, "package.json"))];
  const hash = createHash("sha256");
  for (const file of files.sort()) {
    if (!existsSync(join(root, file))) continue;
    hash.update(file).update("\0").update(readFileSync(join(root, file))).update("\0");
  }
  return hash.digest("hex");
}
