import { mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { runCommand } from "./run-command.mjs";

const quietly = ["--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--no-update-notifier"];
/** Offline is told within seconds, not after minutes of trying again. */
const hastily = ["--prefer-offline", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=3000"];

/**
 * Installs one npm package into a folder of its own, whole or not at all.
 * @param {string} folder ends as `folder/node_modules/<package>`
 * @param {string} specifier name and version range
 * @param {{ runsScripts?: boolean, env?: NodeJS.ProcessEnv }} [options] whether the package may build itself, and in which environment
 */
export async function installFromNpm(folder, specifier, { runsScripts = false, env = {} } = {}) {
  const partial = `${folder}.partial`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  await runNpm(["install", "--prefix", partial, ...quietly, ...(runsScripts ? [] : ["--ignore-scripts"]), ...hastily, specifier], `npm install ${specifier}`, env);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  renameSync(partial, folder);
}

/** Runs the npm that started us, else the one on `PATH`. @param {readonly string[]} args @param {string} title @param {NodeJS.ProcessEnv} env */
function runNpm(args, title, env) {
  const options = { title, env, advice: "Check that this machine reaches its npm registry (npm ping), then run the command again." };
  const npm = process.env.npm_execpath;
  return npm?.endsWith("npm-cli.js") ? runCommand(process.execPath, [npm, ...args], options) : runCommand("npm", args, options);
}
