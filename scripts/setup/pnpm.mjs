import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";
import { findCommand } from "./machine.mjs";
import { nodeEnvironment, nodePath } from "./node.mjs";
import { installFromNpm } from "./npm.mjs";
import { runCommand, tryCommand } from "./run-command.mjs";

const major = 11;
const folder = () => join(cacheFolder(), `pnpm-${major}`);
const script = () => join(folder(), "node_modules", "pnpm", "bin", "pnpm.mjs");

/** pnpm, which installs the workspace: one in the cache, else a fitting one on `PATH`. @type {import("./need.mjs").Need} */
export const pnpm = {
  name: `pnpm ${major}`,
  find: async () => (existsSync(script()) ? "in the cache" : await versionOnPath()),
  obstacle: async () => undefined,
  byHand: `install pnpm ${major} (npm install --global pnpm@${major})`,
  provide: async (say) => {
    say("installing pnpm");
    await installFromNpm(folder(), `pnpm@${major}`);
    return (await runPnpm(["--version"])).trim();
  },
};

/**
 * Runs pnpm under Node 24, without questions. Throws a SetupFailure.
 * @param {readonly string[]} args
 * @param {import("./run-command.mjs").CommandOptions} [options]
 */
export function runPnpm(args, options = {}) {
  const quick = { npm_config_fetch_retry_mintimeout: "1000", npm_config_fetch_retry_maxtimeout: "3000" };
  const settings = { title: `pnpm ${args[0]}`, ...options, env: { ...nodeEnvironment(), ...quick, CI: "true" } };
  return existsSync(script()) ? runCommand(nodePath(), [script(), ...args], settings) : runCommand("pnpm", args, settings);
}

async function versionOnPath() {
  if (findCommand("pnpm") === undefined) return undefined;
  // A time limit, since corepack's stand-in for pnpm may go to the network.
  const { ok, output } = await tryCommand("pnpm", ["--version"], { timeoutMs: 10_000, env: { COREPACK_ENABLE_DOWNLOAD_PROMPT: "0" } });
  const version = output.trim();
  return ok && version.startsWith(`${major}.`) ? version : undefined;
}
