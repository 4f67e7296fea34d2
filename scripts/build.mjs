/**
 * `npm run build`: makes the publishable packages, each as `dist` in its folder and as an archive in the root's `dist`, and proves that
 * the command line starts from those archives alone.
 */
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { bundleConsole } from "./build/bundle-console.mjs";
import { checkPackedCommand } from "./build/check-packed-command.mjs";
import { SetupFailure } from "./setup/failure.mjs";
import { buildNeeds } from "./setup/needs.mjs";
import { nodePath } from "./setup/node.mjs";
import { runPnpm } from "./setup/pnpm.mjs";
import { createStep } from "./setup/progress.mjs";
import { runCommand } from "./setup/run-command.mjs";
import { explain, setUp } from "./setup/setup.mjs";
import { root } from "./setup/workspace.mjs";
import { findWorkspaceTool } from "./workspace-tool.mjs";

const packages = readdirSync(join(root, "packages"));
const archives = join(root, "dist");

await setUp(buildNeeds, { isQuiet: true });
try {
  await step("Compile", compile);
  await step("Copy what is not TypeScript", copyAssets);
  await step("Bundle the console", bundleConsole);
  await step("Pack", pack);
  await step("Start the packed command line", () => checkPackedCommand(archives));
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  explain(error);
  process.exitCode = 1;
}

/** @param {string} name @param {() => Promise<string>} run returns what it made */
async function step(name, run) {
  const line = createStep(name);
  try {
    line.done(await run());
  } catch (error) {
    line.failed();
    throw error;
  }
}

async function compile() {
  for (const name of packages) rmSync(join(root, "packages", name, "dist"), { recursive: true, force: true });
  await runCommand(nodePath(), [findWorkspaceTool("tsc") ?? "", "--build", "--force", "tsconfig.build.json"], { cwd: root });
  return `${packages.length - 1} packages`; // The console is bundled instead.
}

/** What the packages read beside their code: executables, pages; and the examples, which the command line deploys. */
async function copyAssets() {
  for (const name of packages.filter((each) => each !== "console")) {
    const source = join(root, "packages", name, "src");
    cpSync(source, join(root, "packages", name, "dist"), { recursive: true, filter: (path) => !/\.ts$|\/testing$/.test(path) });
  }
  cpSync(join(root, "examples"), join(root, "packages", "cli", "dist", "examples", "folders"), { recursive: true });
  return "executables, pages, examples";
}

async function pack() {
  rmSync(archives, { recursive: true, force: true });
  mkdirSync(archives);
  for (const name of packages) await runPnpm(["pack", "--pack-destination", archives], { cwd: join(root, "packages", name) });
  return `dist/*.tgz`;
}
